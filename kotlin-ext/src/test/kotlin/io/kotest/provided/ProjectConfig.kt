package io.kotest.provided

import io.grpcstream.kotlin.gates.LeftoverGate
import io.kotest.core.config.AbstractProjectConfig
import io.kotest.core.extensions.Extension

/** Holds for all specs of this module; Kotest finds it by its name. */
object ProjectConfig : AbstractProjectConfig() {
    override val extensions: List<Extension> = listOf(LeftoverGate)
}
