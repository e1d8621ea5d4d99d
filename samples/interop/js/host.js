import './polyfill.js'
import { readFile, writeFile } from 'node:fs/promises'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

/**
 * Streams that one connection may have open with our protocol, in each direction: the default, 32 in
 * and 64 out, is below what the scenarios use.
 */
export const STREAMS = { maxInboundStreams: 512, maxOutboundStreams: 512 }

const SECURITY = { noise, tls }
const RSA_BITS = 2048
/** Of ECDSA keys js-libp2p has no peer ids, neither its own nor others'. */
const KEYS = {
  ed25519: () => generateKeyPair('Ed25519'),
  secp256k1: () => generateKeyPair('secp256k1'),
  rsa: () => generateKeyPair('RSA', RSA_BITS)
}

/**
 * Returns a started host that speaks TCP, the one security protocol, and yamux. Without an address it
 * only dials; without a file that keeps its identity, that is new.
 */
export async function newHost ({ security, key, identity }, address) {
  return createLibp2p({
    privateKey: await privateKey(identity, choose(KEYS, '--key', key)),
    addresses: { listen: address === undefined ? [] : [address] },
    transports: [tcp()],
    connectionEncrypters: [choose(SECURITY, '--security', security)()],
    streamMuxers: [yamux()],
    // The default, 5 connections a second from one IP address, is for strangers.
    connectionManager: { inboundConnectionThreshold: 1000 },
    services: { identify: identify(), ping: ping() }
  })
}

async function privateKey (file, newKey) {
  if (file === undefined) {
    return await newKey()
  }
  try {
    return privateKeyFromProtobuf(await readFile(file))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    const key = await newKey()
    await writeFile(file, privateKeyToProtobuf(key), { mode: 0o600 })
    return key
  }
}

function choose (choices, option, name) {
  if (!Object.hasOwn(choices, name)) {
    throw new Error(`${option} ${name}: js-libp2p has ${Object.keys(choices).join(', ')}`)
  }
  return choices[name]
}
