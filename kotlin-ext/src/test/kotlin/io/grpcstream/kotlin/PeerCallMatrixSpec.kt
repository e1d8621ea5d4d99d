package io.grpcstream.kotlin

import io.kotest.core.spec.style.StringSpec

/** What holds of calls on a channel to a peer, to a service from lambdas. */
class PeerCallMatrixSpec :
    StringSpec({
        timeout = 60_000
        include(callMatrix(ByPeer(OwnStyle)))
    })
