import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import protobuf from 'protobufjs'

const directory = fileURLToPath(new URL('../../../proto/src/main/protobuf/', import.meta.url))

/** The clients and descriptions of both services, made from the repository's .proto files. */
export const { greeter: { Greeter }, interop: { Interop } } = grpc.loadPackageDefinition(
  loadSync(['greeter.proto', 'interop.proto'], { includeDirs: [directory], longs: Number, defaults: true }))

const messages = protobuf.loadSync(`${directory}/interop.proto`)
messages.resolveAll()
const Failure = messages.lookupType('interop.Failure')
const FAILURE_URL = 'type.googleapis.com/interop.Failure'

// google.rpc.Status, which travels in the trailer grpc-status-details-bin.
const Status = protobuf.Root.fromJSON({
  nested: {
    Any: { fields: { typeUrl: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
    Status: {
      fields: {
        code: { type: 'int32', id: 1 },
        message: { type: 'string', id: 2 },
        details: { rule: 'repeated', type: 'Any', id: 3 }
      }
    }
  }
}).lookupType('Status')

/** Returns the status that a Failure asks for, with itself as the only detail. */
export function statusOf (failure) {
  const { code, message } = failure
  const details = [{ typeUrl: FAILURE_URL, value: Failure.encode(failure).finish() }]
  const metadata = new grpc.Metadata()
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode({ code, message, details }).finish()))
  return { code, details: message, metadata }
}

/** Returns the failures that a status carries as details. */
export function detailsOf ({ metadata }) {
  return metadata.get('grpc-status-details-bin')
    .flatMap(bytes => Status.decode(bytes).details)
    .map(({ typeUrl, value }) => {
      if (typeUrl !== FAILURE_URL) {
        throw new Error(`a detail of type ${typeUrl}`)
      }
      return Failure.decode(value)
    })
}
