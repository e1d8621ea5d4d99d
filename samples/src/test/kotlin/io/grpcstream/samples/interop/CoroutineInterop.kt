package io.grpcstream.samples.interop

import com.google.protobuf.ByteString
import io.grpc.Status
import io.grpcstream.interop.CallName
import io.grpcstream.interop.DownloadRequest
import io.grpcstream.interop.Failure
import io.grpcstream.interop.InteropGrpcKt.InteropCoroutineImplBase
import io.grpcstream.interop.Payload
import io.grpcstream.interop.StopReply
import io.grpcstream.interop.StopRequest
import io.grpcstream.interop.Total
import io.grpcstream.interop.payload
import io.grpcstream.interop.stopReply
import io.grpcstream.interop.total
import io.grpcstream.kotlin.currentCall
import io.grpcstream.kotlin.statusException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.future.await
import io.grpcstream.interop.Call as CallMessage

/** Does what `interop.proto` says. */
internal class CoroutineInterop(
    private val calls: Calls,
    private val stopper: Stopper,
) : InteropCoroutineImplBase() {
    override fun echo(requests: Flow<Payload>): Flow<Payload> =
        flow {
            watched {
                val call = currentCall()
                val echo = Echo.of(call.headers)
                call.responseHeaders.merge(echo)
                call.trailers.merge(echo)
                emitAll(requests)
            }
        }

    override fun fail(requests: Flow<Failure>): Flow<Payload> =
        flow {
            watched {
                val failure = requests.first()
                val code = Status.fromCodeValue(failure.code).code
                throw statusException(code, failure.message, failure)
            }
        }

    override fun download(request: DownloadRequest): Flow<Payload> =
        flow {
            watched { call ->
                val bytes = payload { data = ByteString.copyFrom(ByteArray(request.size)) }
                repeat(request.count) {
                    emit(bytes) // Waits for as long as flow control says.
                    call.countSent()
                }
                if (request.hold) awaitCancellation()
            }
        }

    override suspend fun upload(requests: Flow<Payload>): Total =
        watched { call ->
            var read = 0
            var size = 0L
            requests.collect {
                read++
                size += it.data.size()
                call.countReceived()
                call.resumed().await()
            }
            total {
                count = read
                bytes = size
            }
        }

    override suspend fun resume(request: CallName): CallMessage {
        val call = calls.get(request.name)
        call.resume()
        return call.message()
    }

    override suspend fun watch(request: CallName): CallMessage = calls.get(request.name).message()

    override suspend fun stop(request: StopRequest): StopReply {
        stopper.stop(request.graceful)
        return stopReply { }
    }

    /** Runs a call so that others can watch it. */
    private suspend fun <T> watched(block: suspend (Call) -> T): T {
        val call = calls.start(currentCall().headers.get(Calls.NAME))
        try {
            return block(call)
        } catch (e: CancellationException) {
            call.cancel()
            throw e
        }
    }
}
