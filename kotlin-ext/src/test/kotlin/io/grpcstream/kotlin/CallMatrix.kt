package io.grpcstream.kotlin

import io.kotest.core.spec.style.stringSpec

/** What may happen to a call, and how the test that shows it is named. */
private val situations: List<Pair<String, suspend (CallStyle, CallKind) -> Unit>> =
    listOf(
        "ends as both sides want it" to CallEndings::normal,
        "is cancelled by the client, and the service's coroutine too" to CallEndings::clientCancels,
        "is cancelled by the service, and fails with CANCELLED" to CallEndings::serverCancels,
        "exceeds its deadline, and the service's coroutine is cancelled" to CallEndings::deadline,
        "fails alone, and tells nothing, if the service throws" to CallEndings::exception,
        "is UNAVAILABLE, and its service cancelled, if the connection is cut" to
            CallEndings::connectionCut,
        "is UNAVAILABLE, and its service cancelled, if the stream is reset" to
            CallEndings::streamReset,
        "waits for a slow reader and loses nothing" to
            { style, kind -> CallPaces.of(kind).slowReader(style) },
        "does not wait for more of a slow writer than there is" to
            { style, kind -> CallPaces.of(kind).slowWriter(style) },
        "keeps the order of 10,000 messages" to
            { style, kind -> CallPaces.of(kind).manyInOrder(style) },
    )

/** Each of gRPC's kinds of calls in each situation, each a test of its own. */
internal fun callMatrix(style: CallStyle) =
    stringSpec {
        for (kind in CallKind.entries) {
            for ((title, check) in situations) {
                "a ${kind.title} call $title" { check(style, kind) }
            }
        }
    }
