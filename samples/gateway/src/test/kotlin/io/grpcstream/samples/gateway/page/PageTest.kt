// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway.page

import io.grpcstream.samples.gateway.Actor
import io.grpcstream.samples.gateway.Library
import io.grpcstream.samples.gateway.Stage
import io.grpcstream.samples.gateway.onStage
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test

@Tag("browser")
class PageTest {
    private val actor = Actor()

    private fun onPage(
        token: String? = null,
        test: Chromium.(Stage) -> Unit,
    ) = runBlocking {
        onStage(actor, Library.service(), configure = { this.token = token }) { stage ->
            Chromium.start().use { browser ->
                browser.size(1280, 900)
                browser.colours("light")
                browser.open(stage.gateway.uri)
                browser.test(stage)
                assertEquals(emptyList<String>(), browser.complaints)
            }
        }
    }

    private fun Chromium.go(vararg place: String) =
        evaluate("location.hash = '/${place.joinToString("/")}'; 0")

    private fun Chromium.input(label: String) =
        "[...document.querySelectorAll('label')].find((l) => l.textContent.startsWith('$label'))"

    private fun Chromium.focus(label: String) {
        await(input(label))
        evaluate("document.getElementById(${input(label)}.htmlFor).focus(); 0")
    }

    private fun Chromium.awaitOutcome(text: String) =
        await("document.querySelector('.outcome')?.innerText.includes('$text')")

    private fun Chromium.tabTo(selector: String) {
        repeat(60) {
            press("Tab")
            if (evaluate(
                    "document.activeElement?.matches(\"$selector\") ?? false",
                ).asBoolean()
            ) {
                return
            }
        }
        error("Tab does not lead to $selector")
    }

    @Test
    @DisplayName(
        "The page shows two peers as they are, calls a method, follows a stream, and shows a failure",
    )
    fun peersAndCalls() =
        onPage {
            await("document.querySelectorAll('.peer.up').length === 2")
            await("document.querySelectorAll('.plot .line')[0].getAttribute('d').length > 20")
            go("peer0", "greeter.Greeter", "SayHello")
            focus("name")
            type("Ada")
            press("Enter")
            awaitOutcome("OK")
            await("document.querySelector('.messages').innerText.includes('Hello, Ada!')")
            await(
                "[...document.querySelectorAll('.metadata')].filter((m) => m.textContent.includes('x-said')).length === 2",
            )
            await(
                "document.querySelector('[aria-live]').textContent.startsWith('OK, 1 message in')",
            )
            screenshot("unary-light")

            focus("name")
            evaluate("document.activeElement.select(); 0")
            type("fail NOT_FOUND")
            press("Enter")
            awaitOutcome("told to — NOT_FOUND")
            await("document.querySelector('.detail').innerText.includes('it says so')")
            await("!document.querySelector('.history').hidden")
            screenshot("failure-light")

            go("peer0", "greeter.Greeter", "SayHelloStream")
            focus("name")
            type("tick 100 50")
            press("Enter")
            await("document.querySelectorAll('.messages li').length > 5")
            await("document.querySelector('.outcome').className === 'outcome'")
            colours("dark")
            screenshot("stream-dark")
            press("Escape")
            awaitOutcome("CANCELLED")
            await("document.querySelectorAll('.messages li').length < 100")
        }

    @Test
    @DisplayName("A form has all that a message can have, and is the same as JSON")
    fun forms() =
        onPage {
            go("peer1", "library.Library", "CreateBook")
            await(
                "document.querySelector('.call-head')?.innerText.includes('POST /v1/{parent=shelves/*}/books')",
            )
            evaluate("[...document.querySelectorAll('.tabs button')][1].click(); 0")
            val request =
                """{"parent":"shelves/1","book":{"title":"Emma","genre":"NOVEL","pages":"9007199254740993","printed":"1815-12-23T00:00:00Z",""" +
                    """"labels":{"shelf":"3"}},"rare":false,"price":"12.5","scan":"AQI=","filter":{"lent":true}}"""
            evaluate("document.querySelector('textarea.big').value = '$request'; 0")
            evaluate("[...document.querySelectorAll('.tabs button')][0].click(); 0")
            await("[...document.querySelectorAll('form select')].some((s) => s.value === 'NOVEL')")
            evaluate("window.scrollTo(0, 0); 0")
            screenshot("form-light")
            colours("dark")
            screenshot("form-dark")
            evaluate("document.querySelector('form .primary').click(); 0")
            awaitOutcome("OK")
            val heard =
                evaluate(
                    "JSON.parse(JSON.parse(document.querySelector('.messages pre').textContent).title)",
                )
            val expected =
                io.grpcstream.samples.gateway.rest.JSON.readTree(
                    request.replace("\"12.5\"", "12.5"),
                )
            assertEquals(
                expected,
                io.grpcstream.samples.gateway.rest.JSON
                    .readTree(heard.toString()),
            )
        }

    @Test
    @DisplayName("All can be done with the keyboard alone, also on a phone, behind a token")
    fun keyboard() =
        onPage(token = "0123456789abcdef") { stage ->
            size(390, 844)
            await("document.querySelector('dialog[open]')")
            screenshot("token-phone")
            type("not the token at all")
            press("Enter")
            await(
                "document.querySelector('dialog[open]') && document.getElementById('token-value').value === ''",
            )
            type("0123456789abcdef")
            press("Enter")
            await("document.querySelectorAll('.peer').length === 2")
            tabTo(".peer[href='#/peer0']")
            press("Enter")
            await("document.querySelectorAll('.methods a').length > 3")
            tabTo(".methods a[href\$='/SayHello']")
            press("Enter")
            await("document.querySelector('form')")
            tabTo("form input[type=text]")
            type("Grace")
            tabTo("form .primary")
            press("Enter")
            awaitOutcome("OK")
            assertTrue(
                evaluate("document.documentElement.scrollWidth <= innerWidth").asBoolean(),
                "the page is wider than the phone",
            )
            evaluate("document.querySelector('form').scrollIntoView(); 0")
            screenshot("call-phone")
            runBlocking { stage.peers[1].shutdown(java.time.Duration.ZERO) }
            await("document.querySelector('.peer.down')")
            evaluate("window.scrollTo(0, 0); 0")
            go("peer1")
            await("document.querySelector('.notice:not([hidden])')")
            colours("dark")
            screenshot("down-phone-dark")
        }
}
