package io.grpcstream.kotest

import io.grpcstream.kotlin.open
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Host
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.string.shouldContain
import kotlin.time.Duration

class PeerLeaksSpec :
    StringSpec({
        "a stream that is left open is named by its host's figures" {
            val protocol = "/left/1.0.0"
            val listener =
                Host
                    .builder()
                    .listen("/memory/0")
                    .build()
                    .startAndAwait()
            listener.handle(protocol) { }
            val dialer = Host.builder().build().startAndAwait()
            dialer.open(listener.listenAddresses().first(), protocol)

            open(dialer.stats()).shouldNotBeNull() shouldContain "outbound streams: "
            open(listener.stats()).shouldNotBeNull() shouldContain "inbound connections: 1"

            listOf(dialer, listener).forEach { it.shutdownAndAwait(Duration.ZERO) }
            open(dialer.stats()).shouldBeNull()
        }
    })
