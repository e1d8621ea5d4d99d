package io.grpcstream.samples.guide

import io.grpc.Context
import io.grpc.Contexts
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.Status
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.libp2p.ConnectionGater
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId

// guide: authorizing/gate
fun gatedPeer(banned: Set<PeerId>): GrpcPeer =
    grpcPeer {
        listen("/memory/0")
        host {
            gater(
                object : ConnectionGater {
                    override fun allowPeer(
                        peer: PeerId,
                        remoteAddress: Multiaddr,
                        initiator: Boolean, // whether we dialled
                    ): Boolean = peer !in banned
                },
            )
        }
        serve { service(Greeter()) }
    }
// end

// guide: authorizing/peers
fun forFriends(friends: Set<PeerId>): GrpcStream =
    grpcStream {
        service(Greeter())
        authorize { peer, _ -> peer in friends } // must not block
    }

fun forCustomers(isCustomer: suspend (PeerId) -> Boolean): GrpcStream =
    grpcStream {
        service(Greeter())
        authorizeSuspending { peer, _ -> isCustomer(peer) } // may ask a database
    }
// end

// guide: authorizing/calls
fun byMethod(admins: Set<PeerId>): GrpcStream =
    grpcStream {
        service(Greeter())
        authorizeCalls { caller, method, _ ->
            if (method.bareMethodName != "SayHelloMany" || caller.peerId() in admins) {
                Status.OK
            } else {
                Status.PERMISSION_DENIED.withDescription("${method.fullMethodName} is for admins")
            }
        }
    }
// end

// guide: authorizing/tokens
class Account(
    val name: String,
)

fun byToken(lookUp: suspend (String) -> Account?): GrpcStream =
    grpcStream {
        service(Greeter())
        authorizeCalls { _, _, headers ->
            val token = headers[TOKEN]?.removePrefix("Bearer ")
            when {
                token == null -> Status.UNAUTHENTICATED.withDescription("no token")

                lookUp(
                    token,
                ) == null -> Status.UNAUTHENTICATED.withDescription("a token unknown here")

                else -> Status.OK
            }
        }
    }
// end

// guide: authorizing/user
val ACCOUNT: Context.Key<Account> = Context.key("account")

/** For tokens that are judged without waiting, such as signed ones. */
class Tokens(
    private val verify: (String) -> Account?,
) : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        val account = headers[TOKEN]?.removePrefix("Bearer ")?.let(verify)
        if (account == null) {
            call.close(Status.UNAUTHENTICATED.withDescription("no valid token"), Metadata())
            return object : ServerCall.Listener<Q>() {}
        }
        val context = Context.current().withValue(ACCOUNT, account)
        return Contexts.interceptCall(context, call, headers, next)
    }
}

class PersonalGreeter : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply =
        helloReply { message = "Hello, ${ACCOUNT.get().name}!" }
}
// end
