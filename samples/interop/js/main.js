import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { newHost, STREAMS } from './host.js'
import { Peer } from './peer.js'
import { selectScenarios } from './scenarios.js'
import { Server } from './server.js'

const USAGE = `usage:
  node . listen [--address MULTIADDR] [options]
  node . call MULTIADDR [--scenario NAME[,NAME...]] [options]

options, with their defaults:
  --security noise             or tls
  --key ed25519                the identity's kind: ed25519, secp256k1 or rsa
  --identity FILE              keeps the identity; by default it is new
  --protocol /greeter/1.0.0    the libp2p protocol id that carries gRPC
  --address /ip4/127.0.0.1/tcp/0
  --scenario kinds             names from the list in ../README.md, kinds, or all`

const SCENARIO_TIMEOUT_MS = 60_000

/** Prints the address at which it serves, and serves until standard input ends. */
async function listen ({ protocol, address, ...options }) {
  const host = await newHost(options, address)
  const server = new Server()
  await host.handle(protocol, stream => server.handle(stream), STREAMS)

  console.log(String(host.getMultiaddrs()[0]))
  await once(process.stdin.resume(), 'end')
  server.close()
  await host.stop()
}

/** Runs scenarios with the peer at an address, prints a line for each, and returns how many failed. */
async function call (address, { protocol, scenario, ...options }) {
  const scenarios = selectScenarios(scenario.split(','))
  const host = await newHost(options)
  const peer = new Peer(host, address, protocol)
  let failed = 0
  for (const [name, run] of scenarios) {
    try {
      console.log(`${name} ok ${oneLine(await withTimeout(run(peer)))}`)
    } catch (error) {
      failed++
      console.log(`${name} failed ${oneLine(error.message)}`)
    }
  }
  await host.stop()
  return failed
}

function withTimeout (promise) {
  const timeout = Promise.withResolvers()
  const timer = setTimeout(
    () => timeout.reject(new Error(`not done after ${SCENARIO_TIMEOUT_MS} ms`)), SCENARIO_TIMEOUT_MS)
  return Promise.race([promise, timeout.promise]).finally(() => clearTimeout(timer))
}

const oneLine = text => text.replace(/\s+/g, ' ')

async function main () {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      security: { type: 'string', default: 'noise' },
      key: { type: 'string', default: 'ed25519' },
      identity: { type: 'string' },
      protocol: { type: 'string', default: '/greeter/1.0.0' },
      address: { type: 'string', default: '/ip4/127.0.0.1/tcp/0' },
      scenario: { type: 'string', default: 'kinds' }
    }
  })
  const [command, address] = positionals
  if (command === 'listen' && positionals.length === 1) {
    await listen(values)
    return 0
  }
  if (command === 'call' && positionals.length === 2) {
    return await call(address, values)
  }
  throw new Error(USAGE)
}

main().then(
  failed => process.exit(failed === 0 ? 0 : 1),
  error => {
    console.error(error.message)
    process.exit(1)
  })
