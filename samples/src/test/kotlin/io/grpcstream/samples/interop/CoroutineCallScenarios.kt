package io.grpcstream.samples.interop

import com.google.protobuf.ByteString
import io.grpc.Metadata
import io.grpc.Status.Code
import io.grpcstream.interop.DownloadRequest
import io.grpcstream.interop.Failure
import io.grpcstream.interop.InteropGrpcKt.InteropCoroutineStub
import io.grpcstream.interop.Payload
import io.grpcstream.interop.downloadRequest
import io.grpcstream.interop.failure
import io.grpcstream.interop.payload
import io.grpcstream.kotlin.ResponseMetadata
import io.grpcstream.kotlin.richStatus
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.emptyFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.single
import kotlinx.coroutines.flow.toList
import java.util.concurrent.TimeUnit

/** What gRPC servers accept in one message unless told otherwise. */
private const val MESSAGE_LIMIT = 4 shl 20
private const val DEADLINE_MILLIS = 500L

internal suspend fun metadata(peer: Peer): String =
    peer.useInterop { interop ->
        val binary = byteArrayOf(0, 1, 2, -1)
        val sent =
            Metadata().apply {
                put(Echo.TEXT, "text")
                put(Echo.BINARY, binary)
            }
        val response = ResponseMetadata()
        interop.withInterceptors(response).echo(emptyFlow(), sent).toList() shouldBe emptyList()
        for (part in listOf(response.headers(), response.trailers())) {
            part.getAll(Echo.TEXT).shouldNotBeNull().toList() shouldBe listOf("text")
            part
                .getAll(Echo.BINARY)
                .shouldNotBeNull()
                .single()
                .toList() shouldBe binary.toList()
        }
        "text and binary, in header and trailer"
    }

internal suspend fun deadline(peer: Peer): String =
    peer.useInterop { interop ->
        val watched = Watched()
        val limited = interop.withDeadlineAfter(DEADLINE_MILLIS, TimeUnit.MILLISECONDS)
        shouldFail(Code.DEADLINE_EXCEEDED) {
            limited.download(held(), watched.headers).collect()
        }
        awaitCancelled(interop, watched)
        val left = interop.watch(watched.name).deadlineMillis
        left shouldBeInRange 1..DEADLINE_MILLIS
        "the server saw $left ms left, and the call end"
    }

internal suspend fun cancelByCaller(peer: Peer): String =
    peer.useInterop { interop ->
        val watched = Watched()
        interop.download(held(), watched.headers).first() // With it the collection ends.
        awaitCancelled(interop, watched)
        "the server saw the call cancelled"
    }

internal suspend fun abortByServer(peer: Peer): String =
    peer.useInterop { interop ->
        val enough =
            failure {
                code = Code.ABORTED.value()
                message = "enough"
            }
        var sent = 0
        val endless =
            flow {
                while (true) {
                    emit(enough)
                    sent++
                }
            }
        shouldFail(Code.ABORTED) { interop.fail(endless).collect() }
        "ended while sending, after message $sent"
    }

internal suspend fun statusDetails(peer: Peer): String =
    peer.useInterop { interop ->
        val expected =
            failure {
                code = Code.FAILED_PRECONDITION.value()
                message = "100 % größer ✓"
            }
        val end =
            shouldFail(Code.FAILED_PRECONDITION) { interop.fail(flowOf(expected)).collect() }
        val status = end.richStatus().shouldNotBeNull()
        status.message shouldBe expected.message
        status.detailsList.map { it.unpack(Failure::class.java) } shouldBe listOf(expected)
        "FAILED_PRECONDITION ${status.message}, with its detail"
    }

internal suspend fun largeMessage(peer: Peer): String =
    peer.useInterop { interop ->
        val sent = payloadOf(MESSAGE_LIMIT)
        val back = interop.echo(flowOf(sent)).single()
        (back == sent) shouldBe true // Without 4 MiB of text where it is not.
        "a message of ${sent.serializedSize} bytes, both ways"
    }

internal suspend fun tooLargeMessage(peer: Peer): String =
    peer.useInterop { interop ->
        val sent = payloadOf(MESSAGE_LIMIT + 1)
        shouldFail(Code.RESOURCE_EXHAUSTED) { interop.echo(flowOf(sent)).collect() }
        "${sent.serializedSize} bytes were refused"
    }

private suspend fun awaitCancelled(
    interop: InteropCoroutineStub,
    watched: Watched,
) = eventually { interop.watch(watched.name).cancelled }

private fun held(): DownloadRequest =
    downloadRequest {
        count = 1
        size = 1
        hold = true
    }

/** A message whose encoding has that many bytes. */
private fun payloadOf(encoded: Int): Payload {
    val overhead = 5 // One byte of tag, four of length.
    val bytes = ByteArray(encoded - overhead) { (it % 251).toByte() }
    return payload { data = ByteString.copyFrom(bytes) }
}
