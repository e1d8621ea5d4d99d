package io.grpcstream.samples.gateway.http

import com.linecorp.armeria.common.HttpHeadersBuilder
import com.linecorp.armeria.common.HttpMethod
import com.linecorp.armeria.common.HttpRequest
import com.linecorp.armeria.common.HttpResponse
import com.linecorp.armeria.common.HttpStatus
import com.linecorp.armeria.common.MediaType
import com.linecorp.armeria.common.ResponseHeaders
import com.linecorp.armeria.server.HttpService
import com.linecorp.armeria.server.ServiceRequestContext
import com.linecorp.armeria.server.SimpleDecoratingHttpService
import io.grpc.Status
import io.netty.util.NetUtil
import java.net.URI
import java.net.URISyntaxException
import java.security.MessageDigest

/**
 * Who may ask for what, judged before anything else looks at a request.
 *
 * - **By name**: a page of an attacker can have its own host name lead to this machine (DNS rebinding)
 *   and would then be of one origin with the gateway. So only IP addresses, `localhost` and the names
 *   that the options give are answered.
 * - **By origin**: pages of other origins may not call, not even where they would not see the answer,
 *   unless CORS allows theirs. Programs that are no browsers send no `origin`.
 * - **By token**, where there is one: all but the page's own files, which have nothing in them.
 */
internal class Guard(
    delegate: HttpService,
    private val token: String?,
    private val cors: Set<String>,
    private val hostNames: Set<String>,
) : SimpleDecoratingHttpService(delegate) {
    private val tokenDigest = token?.let(::digest)

    override fun serve(
        context: ServiceRequestContext,
        request: HttpRequest,
    ): HttpResponse {
        val origin = request.headers().get("origin")
        val isCors = origin != null && origin in cors
        context.mutateAdditionalResponseHeaders { headers ->
            headers.addSafety()
            if (isCors) headers.addCors(origin!!)
        }
        return try {
            checkHost(request)
            if (!isCors) checkSite(context, request, origin)
            if (isCors && isPreflight(request)) return preflight(request)
            checkToken(context, request)
            unwrap().serve(context, request)
        } catch (refusal: Refusal) {
            val ending = Ending(refusal.status, http = refusal.http)
            val headers = ResponseHeaders.builder(refusal.http).contentType(MediaType.JSON_UTF_8)
            if (refusal.http == HttpStatus.UNAUTHORIZED) headers.add("www-authenticate", "Bearer")
            HttpResponse.of(
                headers.build(),
                com.linecorp.armeria.common.HttpData
                    .ofUtf8(ending.toJson(null).toString()),
            )
        }
    }

    private fun checkHost(request: HttpRequest) {
        val host = hostOf(request.authority().orEmpty())
        val isAddress = NetUtil.isValidIpV4Address(host) || NetUtil.isValidIpV6Address(host)
        if (!isAddress && host != "localhost" && host !in hostNames) {
            throw Refusal(
                Status.PERMISSION_DENIED.withDescription(
                    "the gateway is not known as \"${host.take(SHOWN)}\": see --host",
                ),
                HttpStatus.MISDIRECTED_REQUEST,
            )
        }
    }

    private fun hostOf(authority: String): String =
        if (authority.startsWith(
                '[',
            )
        ) {
            authority
                .substring(
                    1,
                ).substringBefore(']')
        } else {
            authority.substringBefore(':').lowercase()
        }

    private fun checkSite(
        context: ServiceRequestContext,
        request: HttpRequest,
        origin: String?,
    ) {
        val site = request.headers().get("sec-fetch-site")
        val crosses =
            if (origin !=
                null
            ) {
                authorityOf(origin) != request.authority()
            } else {
                site == "cross-site" ||
                    site == "same-site"
            }
        if (!crosses) return
        // A link to the page, from wherever.
        val follows =
            request.headers().get("sec-fetch-mode") == "navigate" &&
                request.method() == HttpMethod.GET
        if (follows && origin == null && isPublic(context, request)) return
        throw Refusal(
            Status.PERMISSION_DENIED.withDescription(
                "pages of ${origin?.take(
                    SHOWN,
                ) ?: "other sites"} may not call this gateway: see --cors",
            ),
        )
    }

    /** Null for one that is none, such as `null`. */
    private fun authorityOf(origin: String): String? =
        try {
            URI(origin).rawAuthority
        } catch (_: URISyntaxException) {
            null
        }

    private fun isPreflight(request: HttpRequest) =
        request.method() == HttpMethod.OPTIONS &&
            request.headers().contains("access-control-request-method")

    private fun preflight(request: HttpRequest): HttpResponse {
        val headers = ResponseHeaders.builder(HttpStatus.NO_CONTENT)
        headers.add("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE")
        request.headers().get("access-control-request-headers")?.let {
            headers.add("access-control-allow-headers", it)
        }
        headers.add("access-control-max-age", "600")
        return HttpResponse.of(headers.build())
    }

    private fun checkToken(
        context: ServiceRequestContext,
        request: HttpRequest,
    ) {
        if (tokenDigest == null || isPublic(context, request)) return
        val shown = request.headers().get("authorization")
        if (shown ==
            null
        ) {
            throw Refusal(
                Status.UNAUTHENTICATED.withDescription("authorization: Bearer … is missing"),
            )
        }
        val isRight =
            shown.startsWith(BEARER, ignoreCase = true) &&
                MessageDigest.isEqual(digest(shown.substring(BEARER.length).trim()), tokenDigest)
        if (!isRight) {
            throw Refusal(
                Status.UNAUTHENTICATED.withDescription("that token is not the gateway's"),
            )
        }
    }

    /** What has nothing of the peers in it, and calls none. */
    private fun isPublic(
        context: ServiceRequestContext,
        request: HttpRequest,
    ) = request.headers().get(PEER_HEADER) == null &&
        request.method() in READING &&
        PRIVATE.none { context.path().startsWith(it) || context.path() == it.dropLast(1) }

    private fun HttpHeadersBuilder.addSafety() {
        set(
            "content-security-policy",
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
        )
        set("x-content-type-options", "nosniff")
        set("referrer-policy", "no-referrer")
        set("cross-origin-resource-policy", if (cors.isEmpty()) "same-origin" else "cross-origin")
        set("vary", "origin")
    }

    private fun HttpHeadersBuilder.addCors(origin: String) {
        set("access-control-allow-origin", origin)
        set("access-control-expose-headers", "*")
    }

    private companion object {
        const val BEARER = "Bearer "
        const val SHOWN = 100
        val PRIVATE = listOf("/peers/", "/api/")
        val READING = setOf(HttpMethod.GET, HttpMethod.HEAD)

        fun digest(text: String): ByteArray =
            MessageDigest.getInstance("SHA-256").digest(text.toByteArray())
    }
}
