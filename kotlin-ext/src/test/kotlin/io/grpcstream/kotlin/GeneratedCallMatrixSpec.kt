package io.grpcstream.kotlin

import io.kotest.core.spec.style.StringSpec

/** What holds of calls by generated stubs to generated services. */
class GeneratedCallMatrixSpec :
    StringSpec({
        timeout = 60_000
        include(callMatrix(GeneratedStyle))
    })
