package io.grpcstream.samples.benchmarks.soak

import com.google.protobuf.UnsafeByteOperations
import io.grpcstream.benchmarks.Payload
import java.nio.ByteBuffer
import java.util.BitSet

/** The call's number, the message's number in it, and then bytes that follow from both. */
private const val HEAD_BYTES = 12

/** What no message of a call is shorter than; one that says less is damaged. */
private val TAILS = intArrayOf(4, 200, 4 shl 10, 48 shl 10)

/** Message [number] of the call [call]: its size, too, follows from the two numbers. */
internal fun numbered(
    call: Long,
    number: Int,
): Payload {
    val bytes = ByteArray(sizeOf(call, number))
    bytes.fill(filler(call, number))
    ByteBuffer.wrap(bytes).putLong(call).putInt(number)
    return Payload.newBuilder().setData(UnsafeByteOperations.unsafeWrap(bytes)).build()
}

/** The calls' messages are small, or of some size, or some KiB, or larger than a frame. */
private fun sizeOf(
    call: Long,
    number: Int,
): Int = HEAD_BYTES + TAILS[(call % TAILS.size).toInt()] + number % 7

private fun filler(
    call: Long,
    number: Int,
): Byte = (call * 31 + number).toByte()

/** The call and the number that [message] says. */
internal fun callOf(message: Payload): Long = head(message).getLong()

internal fun numberOf(message: Payload): Int = head(message).getInt(Long.SIZE_BYTES)

private fun head(message: Payload): ByteBuffer {
    require(message.data.size() >= HEAD_BYTES) { "a message of ${message.data.size()} bytes" }
    return message.data.substring(0, HEAD_BYTES).asReadOnlyByteBuffer()
}

/** Whether those who receive the call's messages take their time for each. */
internal fun isSlow(call: Long): Boolean = call % 5 == 0L

/** Whether every byte of [message] is what [numbered] made of it for [call]. */
private fun isWhole(
    message: Payload,
    call: Long,
): Boolean =
    message.data.size() >= HEAD_BYTES && callOf(message) == call && numberOf(message) >= 0 &&
        message.data == numbered(call, numberOf(message)).data

/**
 * What one end of the call [call] has received: messages from number 0 on, each of which should come
 * once and after the one before it. Any thread.
 */
internal class Arrivals(
    private val call: Long,
) {
    private val seen = BitSet()
    private var doubled = 0
    private var reordered = 0
    private var damaged = 0

    @Synchronized
    fun add(message: Payload) {
        if (!isWhole(message, call)) {
            damaged++
            return
        }
        val number = numberOf(message)
        when {
            seen[number] -> doubled++
            number < seen.length() -> reordered++
        }
        seen.set(number)
    }

    /** How many messages have come, each counted once. */
    val count: Int @Synchronized get() = seen.cardinality()

    /**
     * The faults so far. Lost are the numbers left out before the last that came; and if the sender
     * has ended the call in an orderly way after [sent] messages, all that are missing.
     */
    @Synchronized
    fun faults(sent: Int? = null): Faults =
        Faults(
            lost = maxOf(seen.length(), sent ?: 0) - seen.cardinality(),
            doubled = doubled,
            reordered = reordered,
            // Nobody sent what comes after the last.
            damaged = damaged + maxOf(0, seen.length() - (sent ?: seen.length())),
        )
}

/** What is wrong with the messages of a call; all should be 0. */
internal data class Faults(
    val lost: Int,
    val doubled: Int,
    val reordered: Int,
    val damaged: Int,
)
