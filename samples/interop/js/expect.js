import { isDeepStrictEqual, inspect } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import grpc from '@grpc/grpc-js'

const INTERVAL_MS = 20
const STILL_MS = 500

/** Throws unless got is what was wanted. */
export function expect (what, got, want) {
  if (!isDeepStrictEqual(got, want)) {
    throw new Error(`${what}: ${inspect(got)}, not ${inspect(want)}`)
  }
}

/** Resolves with the error of a promise; throws unless it is a status of one of the codes. */
export async function expectCode (what, promise, ...codes) {
  const wanted = codes.map(code => grpc.status[code]).join(' or ')
  let value
  try {
    value = await promise
  } catch (error) {
    if (codes.includes(error.code)) {
      return error
    }
    throw new Error(`${what}: not ${wanted}, but ${error.message}`, { cause: error })
  }
  throw new Error(`${what}: not ${wanted}, but ${inspect(value)}`)
}

/** Resolves with what the condition does, once that is true; asks 50 times a second. */
export async function eventually (condition) {
  for (;;) {
    const holds = await condition()
    if (holds) {
      return holds
    }
    await sleep(INTERVAL_MS)
  }
}

/** Resolves with a counter, above 0, once it has not moved for half a second. */
export async function standstill (counter) {
  let last = 0
  let since = Date.now()
  return eventually(async () => {
    const now = await counter()
    if (now !== last) {
      last = now
      since = Date.now()
    }
    return Date.now() - since >= STILL_MS ? last : 0
  })
}
