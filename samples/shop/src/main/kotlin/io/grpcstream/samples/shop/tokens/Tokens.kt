package io.grpcstream.samples.shop.tokens

import io.grpc.CallCredentials
import io.grpc.Metadata
import io.grpcstream.libp2p.crypto.PrivateKey
import java.time.Clock
import java.time.Duration
import java.util.concurrent.Executor

/** Where a call carries its token. */
val AUTHORIZATION: Metadata.Key<String> =
    Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER)

/**
 * Gives each call a token of its own, signed when the call is made, or made again: by the peer with
 * this [key], for [subject], to the service called [audience].
 */
class Tokens(
    private val key: PrivateKey,
    private val subject: String,
    private val role: Role,
    private val audience: String,
    private val clock: Clock = Clock.systemUTC(),
    private val lifetime: Duration = LIFETIME,
) : CallCredentials() {
    /** A token from now on. */
    fun sign(): String = Token.sign(key, subject, role, audience, clock.instant(), lifetime)

    override fun applyRequestMetadata(
        request: RequestInfo,
        executor: Executor,
        applier: MetadataApplier,
    ) {
        executor.execute {
            applier.apply(Metadata().apply { put(AUTHORIZATION, "Bearer ${sign()}") })
        }
    }

    /** What tokens have by default. */
    companion object {
        /** Longer than a call may take to arrive, and than clocks are apart. */
        val LIFETIME: Duration = Duration.ofSeconds(30)
    }
}
