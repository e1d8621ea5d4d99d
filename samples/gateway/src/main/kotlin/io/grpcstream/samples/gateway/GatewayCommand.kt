package io.grpcstream.samples.gateway

import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import kotlinx.coroutines.runBlocking
import picocli.CommandLine
import picocli.CommandLine.Command
import picocli.CommandLine.Option
import picocli.CommandLine.ParameterException
import picocli.CommandLine.Spec
import java.io.IOException
import java.net.InetSocketAddress
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.Callable
import java.util.concurrent.CountDownLatch
import kotlin.io.path.readLines
import kotlin.io.path.readText
import kotlin.system.exitProcess

/** Runs a gateway until it is interrupted; `--help` tells its options. */
fun main(args: Array<String>) {
    exitProcess(CommandLine(GatewayCommand()).execute(*args))
}

/** The command line of a [Gateway]. */
@Command(
    name = "gateway",
    mixinStandardHelpOptions = true,
    version = ["gateway of GrpcStream"],
    description = [
        "Peers for browsers and clients of REST: gRPC-Web, JSON over HTTP, and a page.",
    ],
    sortOptions = false,
    usageHelpAutoWidth = true,
)
internal class GatewayCommand : Callable<Int> {
    @Spec
    private lateinit var spec: CommandLine.Model.CommandSpec

    @Option(
        names = ["--listen"],
        paramLabel = "HOST:PORT",
        description = [
            "where to listen for HTTP; default: \${DEFAULT-VALUE}. Port 0 is any that is free",
        ],
    )
    private var listen = "127.0.0.1:8080"

    @Option(
        names = ["--peer"],
        paramLabel = "NAME=MULTIADDR",
        description = [
            "a peer that clients may call; its address ends in /p2p/<peer id>. Repeatable",
        ],
    )
    private var peers = emptyList<String>()

    @Option(
        names = ["--peers"],
        paramLabel = "FILE",
        description = ["peers as above, one a line; # begins a comment"],
    )
    private var peersFile: Path? = null

    @Option(
        names = ["--protocol"],
        paramLabel = "ID",
        description = [
            "the protocol id under which the peers speak gRPC; default: \${DEFAULT-VALUE}",
        ],
    )
    private var protocol = GrpcStream.PROTOCOL

    @Option(
        names = ["--allow"],
        paramLabel = "PEERID",
        description = ["of the peers, only those that are named so are called. Repeatable"],
    )
    private var allow = emptyList<String>()

    @Option(
        names = ["--token-file"],
        paramLabel = "FILE",
        description = [
            "a file with the token that clients have to show (authorization: Bearer …)",
        ],
    )
    private var tokenFile: Path? = null

    @Option(
        names = ["--no-token"],
        description = ["ask for no token, although others than this machine reach the gateway"],
    )
    private var noToken = false

    @Option(
        names = ["--tls-cert"],
        paramLabel = "FILE",
        description = ["the certificate chain of TLS, PEM"],
    )
    private var certificate: Path? = null

    @Option(
        names = ["--tls-key"],
        paramLabel = "FILE",
        description = ["its private key, PEM"],
    )
    private var key: Path? = null

    @Option(
        names = ["--cors"],
        paramLabel = "ORIGIN",
        description = [
            "an origin, such as https://shop.example, whose pages may call; default: none. Repeatable",
        ],
    )
    private var cors = emptyList<String>()

    @Option(
        names = ["--host"],
        paramLabel = "NAME",
        description = [
            "a name under which the gateway is reached, beside localhost and IP addresses. Repeatable",
        ],
    )
    private var hosts = emptyList<String>()

    @Option(
        names = ["--identity"],
        paramLabel = "FILE",
        description = [
            "the gateway's key as a peer, made if there is none; default: a fresh one each time",
        ],
    )
    private var identity: Path? = null

    @Option(
        names = ["--max-request"],
        paramLabel = "BYTES",
        description = ["the largest body of a request; default: \${DEFAULT-VALUE}"],
    )
    private var maxRequest = GatewayLimits().requestBytes

    @Option(
        names = ["--max-connections"],
        paramLabel = "N",
        description = ["connections of clients; default: \${DEFAULT-VALUE}"],
    )
    private var maxConnections = GatewayLimits().connections

    @Option(
        names = ["--static"],
        paramLabel = "DIR",
        description = ["a folder of pages of your own, served under /static/ to all"],
    )
    private var static: Path? = null

    override fun call(): Int {
        val options = options()
        val out = spec.commandLine().out
        val err = spec.commandLine().err
        val gateway = Gateway(options)
        try {
            runBlocking { gateway.start() }
        } catch (e: Exception) {
            gateway.close()
            val why = generateSequence<Throwable>(e) { it.cause }.last().message
            err.println("gateway: cannot listen at $listen: $why")
            return 1
        }
        Runtime.getRuntime().addShutdownHook(Thread(gateway::close))
        out.println("serving at ${gateway.uri}")
        out.println("to the peers it is ${gateway.peerId}")
        if (options.peers.isEmpty()) out.println("no peer is known: --peer NAME=MULTIADDR")
        options.peers.forEach { out.println("  ${gateway.uri}peers/${it.name}/  ${it.id}") }
        out.flush()
        CountDownLatch(1).await() // Until the shutdown hook.
        return 0
    }

    private fun options(): GatewayOptions {
        try {
            return GatewayOptions(
                peers = (peers + linesOf(peersFile)).map { KnownPeer.parse(it, protocol) },
                listen = address(),
                allowed = allow.map(PeerId::parse).toSet(),
                token = tokenFile?.readText()?.trim(),
                openToAll = noToken,
                tls = tls(),
                cors = cors.toSet(),
                hostNames = hosts.map { it.lowercase() }.toSet(),
                identity = identity?.let(PrivateKey::loadOrCreate),
                static = folder(),
                limits =
                    GatewayLimits(
                        requestBytes = maxRequest,
                        allRequestsBytes = maxOf(maxRequest * 16L, 64L shl 20),
                        connections = maxConnections,
                    ),
            )
        } catch (e: IllegalArgumentException) {
            throw ParameterException(spec.commandLine(), e.message, e)
        } catch (e: IOException) {
            throw ParameterException(spec.commandLine(), "cannot read ${e.message}", e)
        }
    }

    private fun folder(): Path? =
        static?.also { require(Files.isDirectory(it)) { "--static: $it is no folder" } }

    private fun linesOf(file: Path?): List<String> =
        file
            ?.readLines()
            .orEmpty()
            .map {
                it
                    .substringBefore(
                        '#',
                    ).trim()
            }.filter { it.isNotEmpty() }

    private fun address(): InetSocketAddress {
        val port = listen.substringAfterLast(':').toIntOrNull()
        require(port != null && port in 0..65_535 && ':' in listen) {
            "--listen: \"$listen\" is no HOST:PORT"
        }
        val host = listen.substringBeforeLast(':').removeSurrounding("[", "]")
        val address = InetSocketAddress(host, port)
        require(!address.isUnresolved) { "--listen: there is no host ${address.hostString}" }
        return address
    }

    private fun tls(): GatewayOptions.Tls? {
        require((certificate == null) == (key == null)) { "--tls-cert and --tls-key go together" }
        return certificate?.let { GatewayOptions.Tls(it, key!!) }
    }
}
