package io.grpcstream.samples.gateway.page

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.gateway.Gateway
import io.grpcstream.samples.gateway.GatewayOptions
import io.grpcstream.samples.gateway.KnownPeer
import io.grpcstream.samples.gateway.demo.TelemetryUse
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.collector.Collector
import io.grpcstream.samples.telemetry.device.Device
import io.grpcstream.samples.telemetry.device.SimulatedSensor
import io.grpcstream.samples.telemetry.store.SqliteStore
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** The page of the telemetry, in a browser, through a gateway before a collector. */
@Tag("browser")
class DashboardTest {
    @Test
    @DisplayName(
        "The dashboard shows devices, live, configures one of them, and shows which one has gone",
    )
    fun dashboard(
        @TempDir folder: Path,
    ) = onDashboard(folder) { browser, devices, running ->
        browser.await(row("device-5"))
        browser.await("document.getElementById('sum-online').textContent === '$COUNT of $COUNT'")
        browser.await("document.getElementById('connection').textContent === 'live, from fleet'")
        browser.await("!document.getElementById('connection').classList.contains('lost')")
        for (what in listOf(
            "row.cells[2].textContent",
            "row.querySelector('path').getAttribute('d')",
        )) {
            browser.evaluate("globalThis.before = ${of("device-1", what)}; 0")
            browser.await("before && ${of("device-1", what)} !== before")
        }
        browser.await(
            "${of("device-3", "row.querySelector('path').getAttribute('d')")}.length > 100",
        )
        browser.screenshot("dashboard-light")

        browser.evaluate("${of("device-2", "row.querySelector('button')")}.focus(); 0")
        browser.press("Enter")
        browser.await("document.querySelector('dialog[open]')")
        browser.await("document.activeElement.id === 'interval'")
        browser.type("70")
        browser.press("Enter")
        browser.await(
            "document.getElementById('configure-result').textContent === 'The device does so now.'",
        )
        assertEquals(70.milliseconds, devices[1].settings.value.interval)
        browser.screenshot("dashboard-configure")
        browser.press("Escape")
        browser.await(
            "${of("device-2", "row.querySelector('button').textContent")} === 'each 70 ms'",
        )
        browser.await(
            "${of("device-1", "row.querySelector('button').textContent")} === 'each 200 ms'",
        )

        running[3].cancelAndJoin()
        browser.await("${of("device-4", "row.className")} === 'offline'")
        browser.await("${of("device-4", "row.cells[1].textContent")}.startsWith('last seen ')")
        browser.await("document.getElementById('sum-online').textContent === '4 of $COUNT'")
        assertFalse(
            browser.evaluate(of("device-2", "row.querySelector('button').disabled")).asBoolean(),
        )
        browser.colours("dark")
        browser.screenshot("dashboard-offline-dark")
        assertEquals(emptyList<String>(), browser.complaints)
    }

    private fun onDashboard(
        folder: Path,
        test: suspend (Chromium, List<Device>, List<Job>) -> Unit,
    ) = runBlocking(Dispatchers.IO) {
        Chromium.start().use { browser ->
            withTimeout(PATIENCE) {
                SqliteStore(folder.resolve("readings.db")).use { store ->
                    Collector(store).run({ listen("/ip4/127.0.0.1/tcp/0") }) { collector ->
                        val address = collector.addresses().first()
                        val devices = List(COUNT) { device("device-${it + 1}", address) }
                        val running = devices.map { launch { it.run() } }
                        onGateway(address) { gateway ->
                            browser.size(1280, 640)
                            browser.colours("light")
                            browser.open(gateway.uri.resolve("/static/index.html?peer=fleet"))
                            test(browser, devices, running)
                        }
                        running.forEach { it.cancelAndJoin() }
                    }
                }
            }
        }
    }

    private suspend fun onGateway(
        collector: Multiaddr,
        test: suspend (Gateway) -> Unit,
    ) = Gateway(
        GatewayOptions(listOf(KnownPeer("fleet", collector)), static = TelemetryUse.DASHBOARD),
    ).use {
        it.start()
        test(it)
    }

    private fun device(
        name: String,
        collector: Multiaddr,
    ) = Device(
        name,
        PrivateKey.generateEd25519(),
        collector,
        SimulatedSensor(Random(name.hashCode())),
        Settings(200.milliseconds),
    )

    private fun row(device: String) =
        "[...document.querySelectorAll('#devices tr')].find((r) => r.cells[0].textContent === '$device')"

    /** Of the device's row, what [expression] says; undefined while there is none. */
    private fun of(
        device: String,
        expression: String,
    ) = "((row) => row && $expression)(${row(device)})"

    private companion object {
        const val COUNT = 5
        val PATIENCE = 2.minutes
    }
}
