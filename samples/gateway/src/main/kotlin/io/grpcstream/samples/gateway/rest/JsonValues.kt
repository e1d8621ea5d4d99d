package io.grpcstream.samples.gateway.rest

import com.fasterxml.jackson.core.JsonProcessingException
import com.fasterxml.jackson.databind.DeserializationFeature
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.json.JsonMapper

/** JSON that is no message, or several of them. */
internal val JSON: JsonMapper =
    JsonMapper
        .builder()
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .build()

/** [text] as a string of JSON. */
internal fun quoted(text: String): String = JSON.writeValueAsString(text)

/** The one value of JSON that [text] is. */
internal fun oneValue(text: String): JsonNode =
    try {
        JSON.readTree(text)
    } catch (e: JsonProcessingException) {
        throw IllegalArgumentException("the body is no JSON: ${e.originalMessage}", e)
    }

/** The values that [text] has one after the other, as lines or not, or as the elements of one array. */
internal fun manyValues(text: String): List<JsonNode> =
    try {
        JSON
            .readerFor(
                JsonNode::class.java,
            ).without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .readValues<JsonNode>(text)
            .use {
                it.readAll()
            }
    } catch (e: JsonProcessingException) {
        throw IllegalArgumentException("the body is no sequence of JSON: ${e.originalMessage}", e)
    }
