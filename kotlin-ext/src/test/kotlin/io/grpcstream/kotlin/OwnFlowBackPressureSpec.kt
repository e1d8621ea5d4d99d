package io.grpcstream.kotlin

import io.kotest.core.spec.style.StringSpec

/** Back-pressure through calls on a channel and a service from lambdas. */
class OwnFlowBackPressureSpec :
    StringSpec({
        timeout = 60_000
        include(flowBackPressure("own calls", OwnStyle))
    })
