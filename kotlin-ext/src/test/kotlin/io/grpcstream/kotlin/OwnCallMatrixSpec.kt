package io.grpcstream.kotlin

import io.kotest.core.spec.style.StringSpec

/** What holds of calls on a channel to a service from lambdas. */
class OwnCallMatrixSpec :
    StringSpec({
        timeout = 60_000
        include(callMatrix(OwnStyle))
    })
