package io.grpcstream.kotlin

import io.kotest.core.spec.style.StringSpec

/** What holds of generated stubs on a channel to a peer, and of generated services. */
class GeneratedPeerCallMatrixSpec :
    StringSpec({
        timeout = 60_000
        include(callMatrix(ByPeer(GeneratedStyle)))
    })
