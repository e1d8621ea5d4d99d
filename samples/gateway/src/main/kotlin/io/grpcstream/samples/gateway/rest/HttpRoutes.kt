package io.grpcstream.samples.gateway.rest

import com.google.api.AnnotationsProto
import com.google.api.HttpRule
import com.google.protobuf.DescriptorProtos.MethodOptions
import com.google.protobuf.Descriptors.MethodDescriptor
import com.google.protobuf.Descriptors.ServiceDescriptor
import com.google.protobuf.ExtensionRegistry
import org.slf4j.LoggerFactory

/** One way to call [method] by HTTP, as its annotation `google.api.http` says. */
internal class HttpRoute(
    val method: MethodDescriptor,
    /** The method of HTTP, such as `GET`. */
    val verb: String,
    val template: PathTemplate,
    /** The field that the request's body is, `*` for the whole message, empty for none. */
    val body: String,
    /** The field that the response's body is, empty for the whole message. */
    val responseBody: String,
)

/** The annotated routes of a peer's services. */
internal class HttpRoutes(
    services: Collection<ServiceDescriptor>,
) {
    /** Those that say more first. */
    val all: List<HttpRoute> =
        services
            .flatMap { it.methods }
            .asSequence()
            .flatMap(::routesOf)
            .take(MOST)
            .toList()
            .sortedWith(compareBy(HttpRoute::template))

    /** A route, and what the path has for its variables. */
    class Match(
        val route: HttpRoute,
        val variables: Map<String, String>,
    )

    /** The routes that [path] fits, whatever the method of HTTP. */
    fun matching(path: String): List<Match> =
        all.mapNotNull { route ->
            route.template.match(path)?.let { Match(route, it) }
        }

    private companion object {
        val log = LoggerFactory.getLogger(HttpRoutes::class.java)

        /** Each path is compared with all of a peer's. */
        const val MOST = 10_000

        /** Methods of descriptors that were read at run time have the annotation as an unknown field. */
        val ANNOTATIONS: ExtensionRegistry =
            ExtensionRegistry.newInstance().also(
                AnnotationsProto::registerAllExtensions,
            )

        fun routesOf(method: MethodDescriptor): List<HttpRoute> {
            val options = MethodOptions.parseFrom(method.options.toByteString(), ANNOTATIONS)
            if (!options.hasExtension(AnnotationsProto.http)) return emptyList()
            val rule = options.getExtension(AnnotationsProto.http)
            return (listOf(rule) + rule.additionalBindingsList).mapNotNull { routeOf(method, it) }
        }

        private fun routeOf(
            method: MethodDescriptor,
            rule: HttpRule,
        ): HttpRoute? {
            val (verb, path) =
                when (rule.patternCase) {
                    HttpRule.PatternCase.GET -> "GET" to rule.get
                    HttpRule.PatternCase.PUT -> "PUT" to rule.put
                    HttpRule.PatternCase.POST -> "POST" to rule.post
                    HttpRule.PatternCase.DELETE -> "DELETE" to rule.delete
                    HttpRule.PatternCase.PATCH -> "PATCH" to rule.patch
                    HttpRule.PatternCase.CUSTOM -> rule.custom.kind to rule.custom.path
                    else -> return null
                }
            return try {
                HttpRoute(method, verb, PathTemplate.parse(path), rule.body, rule.responseBody)
            } catch (e: IllegalArgumentException) {
                // A peer's mistake; its other routes are none the worse.
                log.debug("{} has an annotation that is ignored: {}", method.fullName, e.message)
                null
            }
        }
    }
}
