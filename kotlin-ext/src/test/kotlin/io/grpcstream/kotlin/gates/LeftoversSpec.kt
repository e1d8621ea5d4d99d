package io.grpcstream.kotlin.gates

import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Host
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What watches all specs must itself be seen to find something. */
class LeftoversSpec :
    StringSpec({
        "a coroutine that goes on is named with where it stands" {
            val before = Leftovers.now()
            val left =
                CoroutineScope(Dispatchers.Default + CoroutineName("forgotten"))
                    .launch(start = CoroutineStart.UNDISPATCHED) { awaitCancellation() }

            val failure = shouldThrow<AssertionError> { before.failIfMore("it", 100.milliseconds) }
            failure.message shouldContain "it left 1 behind"
            failure.message shouldContain "forgotten"
            failure.message shouldContain "awaitCancellation"

            left.cancelAndJoin()
            before.failIfMore("it")
        }

        "a coroutine that was there before may go on" {
            val earlier = CoroutineScope(Dispatchers.Default).launch { awaitCancellation() }

            Leftovers.now().failIfMore("it")

            earlier.cancelAndJoin()
        }

        "a host that is left up shows by its threads" {
            val before = Leftovers.now()
            val host =
                Host
                    .builder()
                    .listen("/memory/0")
                    .build()
                    .startAndAwait()

            shouldThrow<AssertionError> { before.failIfMore("it", 100.milliseconds) }
                .message shouldContain "thread grpcstream-host-"

            host.shutdownAndAwait(Duration.ZERO)
            before.failIfMore("it")
        }
    })
