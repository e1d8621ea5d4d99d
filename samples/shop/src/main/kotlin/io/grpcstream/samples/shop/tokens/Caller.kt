package io.grpcstream.samples.shop.tokens

import io.grpc.Context
import io.grpcstream.samples.shop.Forbidden

/** For whom the call is made that is served here, by its token. */
class Caller(
    /** Such as the customer. */
    val subject: String,
    /** For what. */
    val role: Role,
) {
    /** Fails with [Forbidden] unless it has one of these [roles]. */
    fun requireRole(vararg roles: Role) {
        if (role !in roles) {
            throw Forbidden("$subject is here as ${role.name}, this is for ${roles.joinToString()}")
        }
    }

    /** Where it is found. */
    companion object {
        internal val KEY: Context.Key<Caller> = Context.key("shop.caller")

        /** That of the call that is served here; in coroutines, too. */
        fun current(): Caller = checkNotNull(KEY.get()) { "no call with a token is served here" }
    }
}
