package io.grpcstream.samples.guide

import io.grpcstream.samples.SampleProcess
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.string.shouldStartWith
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

private const val PACKAGE = "io.grpcstream.samples.guide"

/** The project of the page, each peer as a process. */
class GuideGettingStartedSpec :
    StringSpec({
        timeout = 300_000

        suspend fun calls(
            client: String,
            server: String,
        ) {
            SampleProcess("$PACKAGE.$server", listOf("/ip4/127.0.0.1/tcp/0")).use { serving ->
                val address = serving.await(Regex("^serving at (\\S+)$"))
                address shouldStartWith "/ip4/127.0.0.1/tcp/"
                SampleProcess("$PACKAGE.$client", listOf(address)).use { calling ->
                    calling.await(Regex("^Hello, Ada at (\\S+)$")) shouldStartWith "12D3KooW"
                }
            }
        }

        "the servers are called by the clients, in Java and in Kotlin" {
            withContext(Dispatchers.IO) {
                coroutineScope {
                    launch { calls(client = "Client", server = "ServerKt") }
                    launch { calls(client = "ClientKt", server = "Server") }
                }
            }
        }
    })
