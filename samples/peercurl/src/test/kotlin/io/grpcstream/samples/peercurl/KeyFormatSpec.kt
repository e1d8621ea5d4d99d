package io.grpcstream.samples.peercurl

import io.grpcstream.libp2p.crypto.KeyType
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.security.KeyPairGenerator
import java.security.spec.ECGenParameterSpec

class KeyFormatSpec :
    StringSpec({
        "keys that the JDK has made are read, and come back as they were" {
            val made =
                mapOf(
                    KeyType.ED25519 to KeyPairGenerator.getInstance("Ed25519").generateKeyPair(),
                    KeyType.RSA to
                        KeyPairGenerator
                            .getInstance(
                                "RSA",
                            ).apply { initialize(2048) }
                            .generateKeyPair(),
                    KeyType.ECDSA to
                        KeyPairGenerator
                            .getInstance("EC")
                            .apply {
                                initialize(ECGenParameterSpec("secp256r1"))
                            }.generateKeyPair(),
                )
            for ((type, pair) in made) {
                val key = Pkcs8.decode(pair.private.encoded)
                key.type() shouldBe type
                key.publicKey().let { it.verify(byteArrayOf(1), key.sign(byteArrayOf(1))) } shouldBe
                    true
                Pkcs8.decode(Pkcs8.encode(key)) shouldBe key
                for (format in KeyFormat.entries) KeyFormat.decode(format.encode(key)) shouldBe key
            }
        }

        "keys of libp2p's own go through every format" {
            for (key in List(
                20,
            ) { PrivateKey.generateSecp256k1() } + PrivateKey.generateEd25519()) {
                for (format in KeyFormat.entries) KeyFormat.decode(format.encode(key)) shouldBe key
            }
        }

        "what is no key is said to be none" {
            val encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n"
            shouldThrow<IllegalArgumentException> {
                KeyFormat.decode(encrypted.toByteArray())
            }.message shouldContain
                "no unencrypted PKCS #8"
            val garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
            shouldThrow<IllegalArgumentException> { KeyFormat.decode(garbage.toByteArray()) }
            val other = KeyPairGenerator.getInstance("X25519").generateKeyPair().private
            shouldThrow<IllegalArgumentException> {
                Pkcs8.decode(
                    other.encoded,
                )
            }.message shouldContain
                "no keys of the algorithm"
        }
    })
