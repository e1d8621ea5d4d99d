import * as calls from './scenarios-calls.js'
import * as ends from './scenarios-ends.js'
import * as kinds from './scenarios-kinds.js'
import * as load from './scenarios-load.js'

/** Those that need no more than a greeter at the other end. */
const KINDS = [
  ['unary', kinds.unary],
  ['server-streaming', kinds.serverStreaming],
  ['client-streaming', kinds.clientStreaming],
  ['bidi-streaming', kinds.bidiStreaming]
]

/** Those that ../README.md describes, in its order: each shows one thing, and says what it has seen. */
const ALL = [
  ['connect', kinds.connect],
  ...KINDS,
  ['metadata', calls.metadata],
  ['deadline', calls.deadline],
  ['cancel', calls.cancel],
  ['abort', calls.abort],
  ['status', calls.status],
  ['large', calls.large],
  ['too-large', calls.tooLarge],
  ['concurrent', load.concurrent],
  ['streams', load.streams],
  ['slow-caller', load.slowCaller],
  ['slow-server', load.slowServer],
  ['graceful-stop', ends.gracefulStop],
  ['hard-stop', ends.hardStop],
  ['reconnect', ends.reconnect],
  ['identity', ends.identity]
]

/** Returns the scenarios of these names, of which kinds and all stand for several. */
export function selectScenarios (names) {
  return names.flatMap(name => {
    const named = { kinds: KINDS, all: ALL }[name] ?? ALL.filter(([each]) => each === name)
    if (named.length === 0) {
      throw new Error(`--scenario ${name}: no such scenario`)
    }
    return named
  })
}
