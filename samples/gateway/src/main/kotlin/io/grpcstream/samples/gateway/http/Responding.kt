package io.grpcstream.samples.gateway.http

import com.linecorp.armeria.common.HttpResponse
import com.linecorp.armeria.common.stream.ClosedStreamException
import io.grpcstream.samples.gateway.http.Responding.log
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory
import kotlin.time.Duration

/**
 * A response that a coroutine writes. It is cancelled when nobody reads the response any more; if it
 * fails, the response is cut.
 */
internal fun CoroutineScope.respond(
    patience: Duration,
    block: suspend (ResponseStream) -> Unit,
): HttpResponse {
    val writer = HttpResponse.streaming()
    val job =
        launch(start = CoroutineStart.LAZY) {
            try {
                block(ResponseStream(writer, patience))
                writer.close()
            } catch (e: ClientGone) {
                log.debug("a response was cut: {}", e.message)
                writer.abort()
            } catch (e: CancellationException) {
                writer.abort()
                throw e
            } catch (e: Throwable) {
                // Also such as a StackOverflowError: the client must not wait for ever.
                if (e is ClosedStreamException || !writer.isOpen) {
                    log.debug("a request was cut", e)
                    writer.abort()
                    return@launch
                }
                log.warn("a response was cut by a fault of the gateway", e)
                writer.close(e)
            }
        }
    writer.whenComplete().handle { _, _ -> job.cancel() }
    job.start()
    return writer
}

private object Responding {
    val log = LoggerFactory.getLogger(Responding::class.java)
}
