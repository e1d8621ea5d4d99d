package io.grpcstream.samples.telemetry.device

import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.checked
import io.grpcstream.samples.telemetry.toMessage
import io.grpcstream.telemetry.Configuration
import io.grpcstream.telemetry.DeviceGrpcKt.DeviceCoroutineImplBase
import kotlinx.coroutines.flow.MutableStateFlow

/** What the collector may have a device do. */
class DeviceService(
    private val settings: MutableStateFlow<Settings>,
) : DeviceCoroutineImplBase() {
    override suspend fun configure(request: Configuration): Configuration {
        val wanted = request.checked()
        settings.value = wanted
        return wanted.toMessage()
    }
}
