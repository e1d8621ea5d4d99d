package io.grpcstream.kotlin.gates

import io.kotest.core.extensions.SpecExtension
import io.kotest.core.spec.Spec

/**
 * Fails each spec that leaves a coroutine, or a thread of a host, behind. A host that is left up, and
 * so any connection or stream of one, shows by its threads; a Netty buffer is found by what ends the
 * test run.
 *
 * It runs around the spec's own callbacks and extensions, so after those have cleaned up.
 */
internal object LeftoverGate : SpecExtension {
    override suspend fun intercept(
        spec: Spec,
        execute: suspend (Spec) -> Unit,
    ) {
        val before = Leftovers.now()
        execute(spec)
        before.failIfMore(spec::class.simpleName ?: spec.toString())
    }
}
