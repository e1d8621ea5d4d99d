package io.grpcstream.samples.guide

import io.grpc.Grpc
import io.grpc.InsecureChannelCredentials
import io.grpc.health.v1.HealthCheckRequest
import io.grpc.health.v1.HealthCheckResponse.ServingStatus
import io.grpc.health.v1.HealthGrpc
import io.grpc.protobuf.services.HealthStatusManager
import io.grpcstream.kotlin.unary
import io.grpcstream.kotlin.use
import io.grpcstream.libp2p.PeerId
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import java.nio.file.Files
import java.nio.file.attribute.PosixFilePermissions.fromString

class GuideDeploymentSpec :
    StringSpec({
        timeout = 120_000

        "a key that is a mounted secret has a known peer id, also where a group may read it" {
            val file = tempdir().toPath().resolve("peer.key")
            val id = peerIdOf(file)
            Deployment.peerIdOf(file) shouldBe id
            Files.setPosixFilePermissions(file, fromString("r--------"))
            peerIdOf(file) shouldBe id
            Files.setPosixFilePermissions(file, fromString("r--r-----"))
            PeerId.of(keyOf(file).publicKey()) shouldBe id
            PeerId.of(Deployment.keyOf(file).publicKey()) shouldBe id
        }

        "a probe by plain gRPC sees the same health as peers do, in Kotlin and in Java" {
            guidePeers {
                val health = HealthStatusManager()
                val peer = start(peerToProbe(health, "/ip4/0.0.0.0/tcp/0"))
                peer.addresses().shouldNotBeEmpty()
                peer.addresses().forEach { it.value("ip4").get() shouldNotBe "0.0.0.0" }
                val ports = listOf(probePort(health, 0), Deployment.probePort(health, 0))
                val request = HealthCheckRequest.getDefaultInstance()
                for (status in listOf(ServingStatus.SERVING, ServingStatus.NOT_SERVING)) {
                    health.setStatus("", status)
                    for (port in ports) {
                        Grpc
                            .newChannelBuilder(
                                "localhost:${port.port}",
                                InsecureChannelCredentials.create(),
                            ).build()
                            .use { it.unary(HealthGrpc.getCheckMethod(), request) }
                            .status shouldBe status
                    }
                    calling()
                        .channel(peer.target)
                        .unary(HealthGrpc.getCheckMethod(), request)
                        .status shouldBe status
                }
                ports.forEach { blocking { it.shutdownNow().awaitTermination() } }
            }
        }
    })
