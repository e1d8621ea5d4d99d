package io.grpcstream.samples.gateway.http

import com.linecorp.armeria.common.HttpResponse
import io.grpcstream.samples.gateway.http.Responding.log
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
                writer.abort(e)
            } catch (e: Exception) {
                // Also where it is cancelled, as then nobody waits.
                writer.close(e)
                throw e
            }
        }
    writer.whenComplete().handle { _, _ -> job.cancel() }
    job.start()
    return writer
}

private object Responding {
    val log = LoggerFactory.getLogger(Responding::class.java)
}
