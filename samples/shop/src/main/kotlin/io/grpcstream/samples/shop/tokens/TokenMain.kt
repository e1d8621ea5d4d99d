package io.grpcstream.samples.shop.tokens

import io.grpcstream.samples.shop.peer.ShopPeer
import io.grpcstream.samples.shop.peer.shopMain
import java.time.Duration

private val HALF_AN_HOUR = Duration.ofMinutes(30)

/**
 * Prints a token as the storefront signs them, for trying the shop by hand: `--subject NAME
 * --audience SERVICE --role customer|auditor`. In the directory it leaves the storefront's id, which
 * services have to know.
 */
fun main(args: Array<String>): Unit =
    shopMain(args) { settings ->
        val storefront = ShopPeer(settings, "storefront")
        val subject = settings.text("subject", "ada")
        val audience = settings.text("audience", "orders")
        val role = Role.valueOf(settings.text("role", "customer").uppercase())
        settings.requireNoOthers()
        storefront.introduceItself()
        println(Tokens(storefront.key, subject, role, audience, lifetime = HALF_AN_HOUR).sign())
    }
