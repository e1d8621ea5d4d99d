package io.grpcstream.kotest

import io.kotest.core.extensions.MountableExtension
import io.kotest.core.listeners.AfterSpecListener
import io.kotest.core.listeners.BeforeSpecListener
import io.kotest.core.spec.Spec

/**
 * Peers for a whole spec of Kotest 6: up before its first test, taken down and checked for leaks as by
 * [withPeers] after its last one. A leak fails the spec.
 *
 * ```
 * val (alice, bob) =
 *     install(PeersExtension(2) { grpc { grpcStream { service(Greeter()) } } })
 *
 * "peers for a whole spec" {
 *     val stub = GreeterCoroutineStub(alice.channelTo(bob))
 * ```
 *
 * `install` is `io.kotest.core.extensions.install`. The peers can be used in tests and in the spec's
 * own before- and after-callbacks for tests; before the spec starts they are not up. One extension
 * serves one `install`.
 *
 * @param count how many peers
 * @param configure their options; `install`'s own lambda may add to them
 */
public class PeersExtension(
    private val count: Int = 2,
    private val configure: PeersBuilder.() -> Unit = { },
) : MountableExtension<PeersBuilder, Peers>,
    BeforeSpecListener,
    AfterSpecListener {
    private var peers: Peers? = null

    /** Makes the peers, which [beforeSpec] starts; Kotest calls this. */
    override fun mount(configure: PeersBuilder.() -> Unit): Peers {
        check(peers == null) { "this PeersExtension is installed already: make one an install" }
        return PeersBuilder()
            .apply(this.configure)
            .apply(configure)
            .build(count)
            .also { peers = it }
    }

    /** Starts the peers; if one of them cannot start, takes down all. Kotest calls this. */
    override suspend fun beforeSpec(spec: Spec) {
        mounted().run { orTakeDown { start() } }
    }

    /** Takes the peers down and fails if anything is left of them; Kotest calls this. */
    override suspend fun afterSpec(spec: Spec) {
        mounted().takeDown()
    }

    private fun mounted() =
        checkNotNull(peers) { "use install(PeersExtension(…)), not extension(…)" }
}
