package io.grpcstream.samples.shop.tokens

import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.time.Duration
import java.time.Instant
import java.util.Base64

/** What a token says, and that nobody else can say it. */
class TokenSpec :
    StringSpec({
        val key = PrivateKey.generateEd25519()
        val now = Instant.ofEpochSecond(1_700_000_000)
        val subject = "ada\nof two lines, 世"
        val text = Token.sign(key, subject, Role.CUSTOMER, "orders", now, Duration.ofSeconds(30))

        "a token is read as it was signed" {
            Token.read(text) shouldBe
                Token(
                    PeerId.of(key.publicKey()),
                    subject,
                    Role.CUSTOMER,
                    "orders",
                    now.plusSeconds(30),
                )
        }

        "a token whose claims or signature were changed is none" {
            val (claims, signature) = text.split('.')
            val changed =
                String(Base64.getUrlDecoder().decode(claims)).replace("CUSTOMER", "SERVICE")
            val forged =
                Base64.getUrlEncoder().withoutPadding().encodeToString(
                    changed.toByteArray(),
                )
            shouldThrow<IllegalArgumentException> { Token.read("$forged.$signature") }
            val other = if (signature.startsWith("A")) "B" else "A"
            shouldThrow<IllegalArgumentException> {
                Token.read(
                    "$claims.$other${signature.drop(1)}",
                )
            }
        }

        "a token in the name of another peer is none" {
            val other = PeerId.of(PrivateKey.generateEd25519().publicKey())
            val (claims, _) = text.split('.')
            val changed =
                String(Base64.getUrlDecoder().decode(claims))
                    .replace("${PeerId.of(key.publicKey())}", "$other")
                    .toByteArray()
            val encoder = Base64.getUrlEncoder().withoutPadding()
            val forged =
                encoder.encodeToString(changed) + "." + encoder.encodeToString(key.sign(changed))
            shouldThrow<IllegalArgumentException> { Token.read(forged) }
        }

        "what is no token is refused as such, whatever it is" {
            for (junk in listOf(
                "",
                ".",
                "a",
                "a.b",
                "%.%",
                "é.é",
                "c2hvcDE.c2hvcDE",
                text.drop(1),
                text.dropLast(9),
            )) {
                shouldThrow<IllegalArgumentException> { Token.read(junk) }
            }
        }
    })
