package io.grpcstream.samples.gateway

import com.linecorp.armeria.common.TlsKeyPair
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.future.await
import picocli.CommandLine
import java.io.PrintWriter
import java.io.StringWriter
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.nio.file.Path
import java.security.KeyStore
import java.util.Base64
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration

class GatewaySpec :
    StringSpec({
        val folder = tempdir().toPath()

        fun pem(
            type: String,
            bytes: ByteArray,
        ): Path {
            val lines = Base64.getMimeEncoder(64, "\n".toByteArray()).encodeToString(bytes)
            val file = folder.resolve("${type.lowercase().replace(' ', '-')}.pem")
            return file.apply { writeText("-----BEGIN $type-----\n$lines\n-----END $type-----\n") }
        }

        "it speaks TLS, keeps its id, tells it to peers, and serves a folder of pages" {
            val pair = TlsKeyPair.ofSelfSigned("localhost")
            val chain = pair.certificateChain().single()
            val tls =
                GatewayOptions.Tls(
                    pem("CERTIFICATE", chain.encoded),
                    pem("PRIVATE KEY", pair.privateKey().encoded),
                )
            val pages = folder.resolve("pages").apply { toFile().mkdir() }
            pages.resolve("own.html").writeText("<!doctype html><title>mine</title>")
            folder.resolve("secret").writeText("secret")
            val key = PrivateKey.generateEd25519()
            val peer = served(Actor()).startAndAwait()
            val known = listOf(KnownPeer("actor", peer.addresses().first()))
            val options = GatewayOptions(known, tls = tls, identity = key, static = pages)
            val gateway = Gateway(options)
            try {
                gateway.start()
                val trust =
                    TrustManagerFactory.getInstance(
                        TrustManagerFactory.getDefaultAlgorithm(),
                    )
                val store = KeyStore.getInstance(KeyStore.getDefaultType()).apply { load(null) }
                store.setCertificateEntry("gateway", chain)
                trust.init(store)
                val ssl =
                    SSLContext
                        .getInstance(
                            "TLS",
                        ).apply { init(null, trust.trustManagers, null) }
                val client = HttpClient.newBuilder().sslContext(ssl).build()

                suspend fun get(path: String) =
                    client
                        .sendAsync(
                            HttpRequest
                                .newBuilder(
                                    java.net.URI("https://localhost:${gateway.uri.port}$path"),
                                ).build(),
                            BodyHandlers.ofString(),
                        ).await()
                gateway.uri.scheme shouldBe "https"
                get("/api/peers").let {
                    it.version() shouldBe HttpClient.Version.HTTP_2
                    it.body() shouldContain PeerId.of(key.publicKey()).toString()
                }
                get("/static/own.html").body() shouldContain "mine"
                for (path in listOf(
                    "/static/../secret",
                    "/static/%2e%2e/secret",
                    "/static/..%2fsecret",
                )) {
                    withClue(path) { (get(path).statusCode() in 400..499) shouldBe true }
                }
            } finally {
                gateway.shutdownAndAwait()
                gateway.shutdownAndAwait() // Once more does no harm.
                peer.shutdownAndAwait(Duration.ZERO)
            }
        }

        "a command line that makes no sense is refused, and says why" {
            val id = PeerId.of(PrivateKey.generateEd25519().publicKey())
            val short = folder.resolve("token").apply { writeText("short\n") }
            val wrong =
                mapOf(
                    listOf("--peer", "shop") to "name=multiaddr is wanted",
                    listOf("--peer", "shop=/ip4/127.0.0.1/tcp/1") to "does not end in /p2p/",
                    listOf("--peer", "a=/p2p/$id", "--peer", "a=/p2p/$id") to
                        "two peers have the name",
                    listOf("--listen", "8080") to "is no HOST:PORT",
                    listOf("--listen", "0.0.0.0:0") to "give a token",
                    listOf("--token-file", "$short") to "16 are needed",
                    listOf("--token-file", "${folder.resolve("none")}") to "cannot read",
                    listOf("--tls-cert", "$short") to "go together",
                    listOf("--static", "$short") to "is no folder",
                    listOf("--cors", "*") to "is no origin",
                    listOf("--cors", "null") to "is no origin",
                    listOf("--cors", "https://shop.example/") to "is no origin",
                    listOf("--allow", "nobody") to "",
                )
            for ((arguments, why) in wrong) {
                val errors = StringWriter()
                val command = CommandLine(GatewayCommand()).setErr(PrintWriter(errors))
                withClue(arguments) {
                    command.execute(*arguments.toTypedArray()) shouldBe 2
                    errors.toString() shouldContain why
                }
            }
        }

        "the README's options are those that there are" {
            val usage = CommandLine(GatewayCommand()).usageMessage
            Regex("`(--[a-z-]+)").findAll(Path.of("README.md").readText()).forEach {
                usage shouldContain it.groupValues[1]
            }
        }
    })
