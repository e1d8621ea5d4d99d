// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway.page

import com.fasterxml.jackson.databind.JsonNode
import io.grpcstream.samples.gateway.rest.JSON
import org.junit.jupiter.api.Assumptions.assumeTrue
import java.io.Closeable
import java.net.URI
import java.net.http.HttpClient
import java.net.http.WebSocket
import java.nio.file.Files
import java.nio.file.Path
import java.util.Base64
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit.SECONDS
import java.util.concurrent.atomic.AtomicInteger
import kotlin.io.path.createDirectories
import kotlin.io.path.exists
import kotlin.io.path.writeBytes

/**
 * Debian's Chromium without a window, with one tab, driven by the few commands of the DevTools protocol
 * that a test needs. It ends, and its folder goes, with [close].
 */
internal class Chromium private constructor(
    private val process: Process,
    private val folder: Path,
    socket: URI,
) : Closeable {
    private val answers = ConcurrentHashMap<Int, CompletableFuture<JsonNode>>()
    private val ids = AtomicInteger()
    private val webSocket =
        HttpClient
            .newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(socket, Listener())
            .get(PATIENCE, SECONDS)
    private val session: String

    /** What the page has said on its console that it should not have. */
    val complaints: MutableList<String> = java.util.concurrent.CopyOnWriteArrayList()

    init {
        val target = send("Target.createTarget", "url" to "about:blank")["targetId"].asText()
        session =
            send(
                "Target.attachToTarget",
                "targetId" to target,
                "flatten" to true,
            )["sessionId"].asText()
        command("Page.enable")
        command("Runtime.enable")
        command("Log.enable")
    }

    fun open(uri: URI) {
        command("Page.navigate", "url" to uri.toString())
    }

    /** The value of an expression in the page. */
    fun evaluate(expression: String): JsonNode {
        val answer =
            command(
                "Runtime.evaluate",
                "expression" to expression,
                "returnByValue" to true,
                "awaitPromise" to true,
            )
        check(!answer.has("exceptionDetails")) { "$expression: ${answer["exceptionDetails"]}" }
        return answer["result"]["value"] ?: JSON.nullNode()
    }

    /** Waits until an expression is true of the page. */
    fun await(expression: String) {
        val end = System.nanoTime() + SECONDS.toNanos(PATIENCE)
        while (!evaluate("!!($expression)").asBoolean()) {
            check(System.nanoTime() < end) {
                "never: $expression\n${evaluate("document.body.innerText").asText()}"
            }
            // The page's own clock: nothing is asked while it draws.
            evaluate("new Promise((resolve) => setTimeout(resolve, 20))")
        }
    }

    fun type(text: String) {
        command("Input.insertText", "text" to text)
    }

    /** Presses a key, such as `Tab`, `Enter`, `Escape`, or a space. */
    fun press(
        key: String,
        shift: Boolean = false,
    ) {
        val (code, number, text) =
            when (key) {
                "Enter" -> Triple("Enter", 13, "\r")
                "Tab" -> Triple("Tab", 9, null)
                "Escape" -> Triple("Escape", 27, null)
                " " -> Triple("Space", 32, " ")
                else -> error("no key $key")
            }
        val common =
            arrayOf<Pair<String, Any>>(
                "key" to key,
                "code" to code,
                "windowsVirtualKeyCode" to number,
                "modifiers" to if (shift) 8 else 0,
            )
        command(
            "Input.dispatchKeyEvent",
            "type" to
                if (text ==
                    null
                ) {
                    "rawKeyDown"
                } else {
                    "keyDown"
                },
            *common,
            *listOfNotNull(text?.let { "text" to it }).toTypedArray(),
        )
        command("Input.dispatchKeyEvent", "type" to "keyUp", *common)
    }

    fun colours(scheme: String) {
        val feature = mapOf("name" to "prefers-color-scheme", "value" to scheme)
        command("Emulation.setEmulatedMedia", "features" to listOf(feature))
    }

    fun size(
        width: Int,
        height: Int,
    ) {
        command(
            "Emulation.setDeviceMetricsOverride",
            "width" to width,
            "height" to height,
            "deviceScaleFactor" to 1,
            "mobile" to (width < 600),
        )
    }

    fun screenshot(name: String) {
        val data = command("Page.captureScreenshot", "format" to "png")["data"].asText()
        SCREENSHOTS
            .createDirectories()
            .resolve(
                "$name.png",
            ).writeBytes(Base64.getDecoder().decode(data))
    }

    private fun command(
        method: String,
        vararg parameters: Pair<String, Any>,
    ): JsonNode = call(session, method, *parameters)

    private fun send(
        method: String,
        vararg parameters: Pair<String, Any>,
    ): JsonNode = call(null, method, *parameters)

    private fun call(
        session: String?,
        method: String,
        vararg parameters: Pair<String, Any>,
    ): JsonNode {
        val id = ids.incrementAndGet()
        val answer = CompletableFuture<JsonNode>()
        answers[id] = answer
        val message =
            buildMap {
                put("id", id)
                put("method", method)
                put("params", parameters.toMap())
                session?.let { put("sessionId", it) }
            }
        webSocket.sendText(JSON.writeValueAsString(message), true).get(PATIENCE, SECONDS)
        val told = answer.get(PATIENCE, SECONDS)
        check(!told.has("error")) { "$method: ${told["error"]}" }
        return told["result"]
    }

    private inner class Listener : WebSocket.Listener {
        private val text = StringBuilder()

        override fun onText(
            webSocket: WebSocket,
            data: CharSequence,
            last: Boolean,
        ): CompletionStage<*>? {
            text.append(data)
            if (last) {
                val message = JSON.readTree(text.toString())
                text.setLength(0)
                if (message.has(
                        "id",
                    )
                ) {
                    answers.remove(message["id"].asInt())?.complete(message)
                } else {
                    hear(message)
                }
            }
            webSocket.request(1)
            return null
        }

        private fun hear(event: JsonNode) {
            val parameters = event["params"]
            when (event["method"]?.asText()) {
                "Runtime.exceptionThrown" -> {
                    complaints += parameters["exceptionDetails"].toString()
                }

                // A failure of HTTP is noted there, too, and is what some tests are about.
                "Log.entryAdded" -> {
                    if (parameters["entry"]["level"].asText() == "error" &&
                        parameters["entry"]["source"].asText() != "network"
                    ) {
                        complaints += parameters["entry"]["text"].asText()
                    }
                }
            }
        }
    }

    override fun close() {
        try {
            webSocket.abort()
            process.destroy()
            if (!process.waitFor(5, SECONDS)) process.destroyForcibly().waitFor()
        } finally {
            folder.toFile().deleteRecursively()
        }
    }

    companion object {
        private const val PATIENCE = 30L
        private val SCREENSHOTS = Path.of("target", "screenshots")
        private val LISTENING = Regex("DevTools listening on (ws://\\S+)")

        /** Starts it; where there is none, the test is skipped, or fails under CI. */
        fun start(): Chromium {
            val program =
                listOf(
                    "/usr/bin/chromium",
                    "/usr/bin/chromium-browser",
                    "/usr/bin/google-chrome",
                ).map(Path::of).find {
                    it.exists()
                }
            if (System.getenv("CI") != "true") assumeTrue(program != null, "there is no Chromium")
            checkNotNull(program) { "there is no Chromium: apt-get install chromium" }
            val folder =
                Files.createTempDirectory(
                    Path.of("target").createDirectories(),
                    "chromium",
                )
            val process =
                ProcessBuilder(
                    program.toString(),
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--disable-dev-shm-usage",
                    "--hide-scrollbars",
                    "--remote-debugging-port=0",
                    "--user-data-dir=${folder.toAbsolutePath()}",
                    "about:blank",
                ).redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
            try {
                val errors = process.errorReader()
                val socket =
                    generateSequence {
                        errors.readLine()
                    }.firstNotNullOfOrNull { LISTENING.find(it)?.groupValues?.get(1) }
                        ?: error("Chromium has ended with ${process.waitFor()}")
                // What it says from here on is nobody's business, but has to be read.
                Thread { errors.forEachLine { } }.apply { isDaemon = true }.start()
                return Chromium(process, folder, URI(socket))
            } catch (e: Throwable) {
                process.destroyForcibly().waitFor()
                folder.toFile().deleteRecursively()
                throw e
            }
        }
    }
}
