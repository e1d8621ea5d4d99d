package io.grpcstream.kotlin

import io.kotest.core.spec.style.StringSpec

/** Back-pressure through generated stubs and generated services. */
class GeneratedFlowBackPressureSpec :
    StringSpec({
        timeout = 60_000
        include(flowBackPressure("generated stubs", GeneratedStyle))
    })
