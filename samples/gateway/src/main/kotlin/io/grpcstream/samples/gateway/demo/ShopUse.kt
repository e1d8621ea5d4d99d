package io.grpcstream.samples.gateway.demo

import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.gateway.KnownPeer
import io.grpcstream.samples.shop.Settings
import io.grpcstream.samples.shop.demo.Shop
import io.grpcstream.samples.shop.peer.ShopPeer
import io.grpcstream.samples.shop.tokens.Role
import io.grpcstream.samples.shop.tokens.Tokens
import java.nio.file.Path
import java.time.Duration

/** A shop in processes of its own, which lets a gateway in. */
internal class ShopUse(
    /** Where its peers find each other, and keep their keys and all else. */
    val folder: Path,
) : AutoCloseable {
    /** Its processes. */
    val shop = Shop(folder)
    private val gateway = peer("gateway")
    private val storefront = peer("storefront")

    /** The key that the gateway needs: the shop admits the peer of that. */
    val key: PrivateKey get() = gateway.key

    /** Starts it; returns who takes orders. */
    suspend fun start(): KnownPeer {
        gateway.introduceItself()
        storefront.introduceItself()
        shop.start()
        gateway.directory.read()
        val name = shop.orders.name
        return KnownPeer(
            name,
            gateway.directory.peers.value
                .getValue(name)
                .first(),
        )
    }

    /** What [customer] shows to the orders, as the storefront signs it. */
    fun token(
        customer: String,
        lifetime: Duration,
    ): String =
        Tokens(storefront.key, customer, Role.CUSTOMER, "orders", lifetime = lifetime).sign()

    private fun peer(name: String) =
        ShopPeer(Settings.of(shop.settingsOf(name).toTypedArray()), name)

    override fun close() = shop.close()
}
