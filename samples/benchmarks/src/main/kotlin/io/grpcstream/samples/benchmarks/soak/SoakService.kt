package io.grpcstream.samples.benchmarks.soak

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.ServerInterceptors
import io.grpc.ServerServiceDefinition
import io.grpc.stub.ServerCallStreamObserver
import io.grpc.stub.StreamObserver
import io.grpcstream.benchmarks.LoadGrpc
import io.grpcstream.benchmarks.Payload
import java.util.concurrent.Executor

/**
 * The serving end of numbered calls: checks what it receives, and notes it in [ledger].
 *
 * @param later runs a task after the pause that a slow receiver makes for each message
 */
internal class SoakService(
    private val ledger: Ledger,
    private val later: Executor,
) : LoadGrpc.LoadImplBase() {
    /** The service, with each call's begin and end noted. */
    fun definition(): ServerServiceDefinition = ServerInterceptors.intercept(this, ends())

    override fun unary(
        request: Payload,
        replies: StreamObserver<Payload>,
    ) {
        replies.onNext(request)
        replies.onCompleted()
    }

    /** Sends as many messages as the number of the request says. */
    override fun download(
        request: Payload,
        replies: StreamObserver<Payload>,
    ) {
        replies as ServerCallStreamObserver<Payload>
        val call = callOf(request)
        val count = numberOf(request)
        var next = 0
        replies.setOnReadyHandler {
            while (next < count && replies.isReady) {
                replies.onNext(numbered(call, next++))
                if (next == count) replies.onCompleted()
            }
        }
    }

    /** Answers how many messages it got, by the number of its reply. */
    override fun upload(replies: StreamObserver<Payload>): StreamObserver<Payload> {
        replies as ServerCallStreamObserver<Payload>
        replies.disableAutoRequest()
        replies.request(1)
        return object : Receiver() {
            override fun onNext(request: Payload) {
                note(request)
                if (isSlow(call)) later.execute { replies.request(1) } else replies.request(1)
            }

            override fun completed(count: Int) {
                replies.onNext(numbered(call, count))
                replies.onCompleted()
            }
        }
    }

    /** Sends each message back. */
    override fun both(replies: StreamObserver<Payload>): StreamObserver<Payload> {
        replies as ServerCallStreamObserver<Payload>
        replies.disableAutoRequest()
        replies.setOnReadyHandler { replies.request(1) }
        return object : Receiver() {
            override fun onNext(request: Payload) {
                note(request)
                replies.onNext(request)
                // Not ready: the handler asks for the next.
                if (replies.isReady) replies.request(1)
            }

            override fun completed(count: Int) = replies.onCompleted()
        }
    }

    /** Receives one call's messages, the first of which says which call it is. */
    private abstract inner class Receiver : StreamObserver<Payload> {
        protected var call = 0L
            private set
        private var arrivals: Arrivals? = null

        protected fun note(request: Payload) {
            val known =
                arrivals ?: Arrivals(callOf(request)).also {
                    call = callOf(request)
                    arrivals = it
                }
            known.add(request)
        }

        /** The caller has half-closed. */
        protected abstract fun completed(count: Int)

        override fun onError(failure: Throwable) = end()

        override fun onCompleted() {
            end()
            completed(arrivals?.count ?: 0)
        }

        private fun end() {
            arrivals?.let { ledger.add(it.faults()) }
        }
    }

    private fun ends() =
        object : ServerInterceptor {
            override fun <Q, R> interceptCall(
                call: ServerCall<Q, R>,
                headers: Metadata,
                next: ServerCallHandler<Q, R>,
            ): ServerCall.Listener<Q> {
                ledger.serving()
                return object : SimpleForwardingServerCallListener<Q>(
                    next.startCall(call, headers),
                ) {
                    override fun onCancel() {
                        ledger.served()
                        super.onCancel()
                    }

                    override fun onComplete() {
                        ledger.served()
                        super.onComplete()
                    }
                }
            }
        }
}
