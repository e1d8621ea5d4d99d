package io.grpcstream.samples.shop.tokens

import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import java.time.Duration
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.Base64

/**
 * Says for whom a call is made: so says [issuer], by its signature, to one [audience] and until a time
 * soon. As the peer id of the issuer holds its public key, nobody has to hand keys around.
 *
 * As text it is its claims and the signature over them, both in base64url, with a dot between.
 */
data class Token(
    /** Who has signed it. */
    val issuer: PeerId,
    /** For whom the call is made, such as a customer. */
    val subject: String,
    /** For what. */
    val role: Role,
    /** The name of the service that is called: to no other is it of use. */
    val audience: String,
    /** When it is of no use any more. */
    val expires: Instant,
) {
    private fun claims() = listOf(VERSION, issuer, role, audience, expires.epochSecond, subject)

    /** Makes and reads tokens. */
    companion object {
        private const val VERSION = "shop1"
        private const val SEPARATOR = "\n"
        private val ENCODER = Base64.getUrlEncoder().withoutPadding()
        private val DECODER = Base64.getUrlDecoder()

        /** Makes a token of the peer with this [key], good for [lifetime] from [now] on. */
        fun sign(
            key: PrivateKey,
            subject: String,
            role: Role,
            audience: String,
            now: Instant,
            lifetime: Duration,
        ): String {
            val expires = (now + lifetime).truncatedTo(ChronoUnit.SECONDS)
            val token = Token(PeerId.of(key.publicKey()), subject, role, audience, expires)
            val claims = token.claims().joinToString(SEPARATOR).toByteArray()
            return ENCODER.encodeToString(claims) + "." + ENCODER.encodeToString(key.sign(claims))
        }

        /**
         * Reads a token, and checks its signature, but nothing of what it claims.
         *
         * @throws IllegalArgumentException if it is none, or has not been signed by its issuer
         */
        fun read(text: String): Token {
            val claims = DECODER.decode(text.substringBefore('.'))
            val signature = DECODER.decode(text.substringAfter('.', ""))
            val token = parse(String(claims))
            val key = token.issuer.extractPublicKey()
            require(key.isPresent && key.get().verify(claims, signature)) {
                "${token.issuer} has not signed it"
            }
            return token
        }

        private fun parse(claims: String): Token {
            val parts = claims.split(SEPARATOR, limit = 6) // a subject may be any text
            require(parts.size == 6 && parts[0] == VERSION) { "it is no token" }
            val (_, issuer, role, audience, expires) = parts
            val seconds = expires.toLong()
            require(seconds in 0..Instant.MAX.epochSecond) { "it expires at no time" }
            return Token(
                PeerId.parse(issuer),
                parts[5],
                Role.valueOf(role),
                audience,
                Instant.ofEpochSecond(seconds),
            )
        }
    }
}
