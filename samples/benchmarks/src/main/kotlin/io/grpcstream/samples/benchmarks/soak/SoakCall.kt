package io.grpcstream.samples.benchmarks.soak

import io.grpc.Channel
import io.grpc.Status
import io.grpc.stub.ClientCallStreamObserver
import io.grpc.stub.ClientResponseObserver
import io.grpcstream.benchmarks.LoadGrpc
import io.grpcstream.benchmarks.Payload
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Deferred
import java.util.concurrent.Executor
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/** The four kinds of call. */
internal enum class Kind {
    UNARY,
    DOWNLOAD,
    UPLOAD,
    BOTH,
}

/**
 * What a call is to do.
 *
 * @property number unique in a run; the sizes of its messages, and the pace of those who receive them,
 *   follow from it
 * @property messages how many go each way that streams
 * @property giveUpAfter the number of received messages after which the caller cancels, if it does
 */
internal class Plan(
    val kind: Kind,
    val number: Long,
    val messages: Int,
    val giveUpAfter: Int? = null,
)

/**
 * The calling end of one numbered call, which notes in [ledger] what becomes of it.
 *
 * @param peer whom a failure should name
 * @param later runs a task after the pause that a slow receiver makes for each message
 * @param wasCut whether something of what carries the call was cut since before it began
 * @param whenFailed called when the call has failed, if the caller did not give up
 */
internal class SoakCall(
    private val plan: Plan,
    private val peer: String,
    private val ledger: Ledger,
    private val later: Executor,
    private val wasCut: () -> Boolean,
    private val whenFailed: () -> Unit,
) : ClientResponseObserver<Payload, Payload> {
    private val begun = System.nanoTime()
    private val arrivals = Arrivals(plan.number)
    private val over = CompletableDeferred<Unit>()
    private lateinit var requests: ClientCallStreamObserver<Payload>

    @Volatile
    private var uploaded = 0
    private var sent = 0
    private var gaveUp = false

    /** Completes when the call has ended. */
    val ended: Deferred<Unit> get() = over

    fun start(channel: Channel) {
        ledger.started(this)
        val stub = LoadGrpc.newStub(channel)
        when (plan.kind) {
            Kind.UNARY -> stub.unary(numbered(plan.number, 0), this)
            Kind.DOWNLOAD -> stub.download(numbered(plan.number, plan.messages), this)
            Kind.UPLOAD -> stub.upload(this)
            Kind.BOTH -> stub.both(this)
        }
    }

    override fun beforeStart(requests: ClientCallStreamObserver<Payload>) {
        this.requests = requests
        if (isSlow(plan.number)) requests.disableAutoRequestWithInitial(AHEAD)
        if (plan.kind in setOf(Kind.UPLOAD, Kind.BOTH)) requests.setOnReadyHandler(::send)
    }

    private fun send() {
        while (sent < plan.messages && requests.isReady) {
            requests.onNext(numbered(plan.number, sent++))
            if (sent == plan.messages) requests.onCompleted()
        }
    }

    override fun onNext(reply: Payload) {
        ledger.received()
        if (ended.isCompleted) ledger.add(Fault.AFTER_THE_END)
        if (plan.kind == Kind.UPLOAD) uploaded = numberOf(reply) else arrivals.add(reply)
        if (plan.giveUpAfter == arrivals.count) {
            gaveUp = true
            requests.cancel("the caller has enough", null)
        } else if (isSlow(plan.number)) {
            later.execute { requests.request(1) }
        }
    }

    override fun onCompleted() {
        val expected =
            when (plan.kind) {
                Kind.UNARY -> 1
                Kind.DOWNLOAD, Kind.BOTH -> plan.messages
                Kind.UPLOAD -> 0
            }
        if (plan.kind == Kind.UPLOAD) ledger.add(Fault.LOST, plan.messages - uploaded)
        ledger.add(arrivals.faults(expected))
        end(Status.OK)
    }

    override fun onError(failure: Throwable) {
        // What has come before the end comes without a gap.
        ledger.add(arrivals.faults())
        val status = Status.fromThrowable(failure)
        if (!gaveUp || status.code != Status.Code.CANCELLED) {
            if (!wasCut()) ledger.add(Fault.UNPROVOKED, "$this", failure)
            if (status.code != Status.Code.UNAVAILABLE) {
                ledger.add(Fault.OTHER_STATUS, "$this", failure)
            }
            ledger.cut("${status.code} ${status.description}", peer)
        }
        whenFailed()
        end(status)
    }

    private fun end(status: Status) {
        ledger.ended(this, status.code)
        over.complete(Unit)
    }

    private fun age(): Duration = (System.nanoTime() - begun).nanoseconds

    private companion object {
        /** What gRPC asks for before a call of one reply ends. */
        const val AHEAD = 2
    }

    override fun toString() =
        "${plan.kind} call ${plan.number} of ${plan.messages} messages" +
            (if (isSlow(plan.number)) ", slow" else "") + ", ${arrivals.count} received, " +
            "${if (wasCut()) "cut" else "not cut"}, begun ${age().inWholeMilliseconds} ms ago"
}
