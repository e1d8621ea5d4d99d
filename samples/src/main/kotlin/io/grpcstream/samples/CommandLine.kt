package io.grpcstream.samples

import io.grpc.Status
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.crypto.PrivateKey
import java.io.IOException
import java.nio.file.InvalidPathException
import java.nio.file.Path
import kotlin.system.exitProcess

/** The multiaddr of a peer that the user gave, or the end of the program with what is wrong with it. */
internal fun addressOf(argument: String): Multiaddr =
    try {
        Multiaddr.parse(argument)
    } catch (e: IllegalArgumentException) {
        fail(2, "\"$argument\" is no multiaddr: ${e.message}")
    }

/** The address to listen on that the user gave, or the end of the program with what is wrong with it. */
internal fun listenAddressOf(argument: String): String =
    try {
        Host.builder().listen(argument)
        argument
    } catch (e: IllegalArgumentException) {
        fail(2, "cannot listen on \"$argument\": ${e.message}")
    }

/**
 * The key in the file that the user gave, made by [generator] if there is no such file, or the end of
 * the program with what is wrong with it.
 */
internal fun keyOf(
    argument: String,
    generator: () -> PrivateKey = PrivateKey::generateEd25519,
): PrivateKey =
    try {
        PrivateKey.loadOrCreate(Path.of(argument), generator)
    } catch (e: IOException) {
        fail(1, "no key to be had from \"$argument\": ${e.message}")
    } catch (e: InvalidPathException) {
        fail(2, "\"$argument\" is no name of a file: ${e.reason}")
    }

/** The id of a chain that the user gave, or the end of the program with what is wrong with it. */
internal fun chainOf(argument: String): Long =
    argument.toLongOrNull()
        ?: fail(2, "\"$argument\" is no chain id: expected a number, such as -Dchain=100")

/** Ends the program as one that could not do its work because of [status]. */
internal fun fail(status: Status): Nothing = fail(1, "${status.code}: ${status.description}")

/** Ends the program, telling the user why. */
internal fun fail(
    exitCode: Int,
    message: String,
): Nothing {
    System.err.println(message)
    exitProcess(exitCode)
}
