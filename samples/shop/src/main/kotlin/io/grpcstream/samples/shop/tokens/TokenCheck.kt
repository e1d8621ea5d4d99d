package io.grpcstream.samples.shop.tokens

import io.grpc.Context
import io.grpc.Contexts
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.Status
import io.grpcstream.libp2p.PeerId
import java.time.Clock

/**
 * Lets only calls with a good token through to the service called [audience], which finds in
 * [Caller] what it says. gRPC's own services (health, reflection) are for all peers that are admitted.
 *
 * @param peerOf the id of the peer of that name, or null if it is not known; must not block
 */
class TokenCheck(
    private val audience: String,
    private val peerOf: (name: String) -> PeerId?,
    private val clock: Clock = Clock.systemUTC(),
) : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        if (call.methodDescriptor.serviceName
                .orEmpty()
                .startsWith("grpc.")
        ) {
            return next.startCall(call, headers)
        }
        val caller =
            try {
                check(headers[AUTHORIZATION])
            } catch (e: IllegalArgumentException) {
                call.close(
                    Status.UNAUTHENTICATED.withDescription("the token: ${e.message}"),
                    Metadata(),
                )
                return object : ServerCall.Listener<Q>() {}
            }
        val context = Context.current().withValue(Caller.KEY, caller)
        return Contexts.interceptCall(context, call, headers, next)
    }

    private fun check(header: String?): Caller {
        require(header != null && header.startsWith("Bearer ")) { "there is none" }
        val token = Token.read(header.removePrefix("Bearer "))
        require(token.audience == audience) { "it is for ${token.audience}, this is $audience" }
        require(clock.instant() < token.expires) { "it has expired at ${token.expires}" }
        require(token.issuer == peerOf(token.role.issuer)) {
            "${token.issuer} may not say who is ${token.role.name}"
        }
        return Caller(token.subject, token.role)
    }
}
