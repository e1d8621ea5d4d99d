package io.grpcstream.samples.gateway.rest

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe

class PathTemplateSpec :
    StringSpec({
        fun match(
            template: String,
            path: String,
        ) = PathTemplate.parse(template).match(path)

        "literals, variables and verbs match as google.api.http says" {
            match("/v1/books", "/v1/books") shouldBe emptyMap()
            match("/v1/books", "/v1/books/") shouldBe null
            match("/v1/books/{id}", "/v1/books/7") shouldBe mapOf("id" to "7")
            match("/v1/books/{id}", "/v1/books/") shouldBe null
            match("/v1/books/{id}", "/v1/books/7/8") shouldBe null
            match("/v1/{name=shelves/*/books/*}", "/v1/shelves/1/books/2") shouldBe
                mapOf("name" to "shelves/1/books/2")
            match(
                "/v1/{name=shelves/*}/books/{book.id}:copy",
                "/v1/shelves/1/books/2:copy",
            ) shouldBe
                mapOf("name" to "shelves/1", "book.id" to "2")
            match("/v1/{name=**}", "/v1/a/b/c") shouldBe mapOf("name" to "a/b/c")
            match("/v1/{name=**}/end", "/v1/a/b/end") shouldBe mapOf("name" to "a/b")
            match("/v1/**/{x=*}", "/v1/a/b/c") shouldBe mapOf("x" to "c")
            match("/v1/{name=files/**}:lend", "/v1/files/a/b:lend") shouldBe
                mapOf("name" to "files/a/b")
            match("/v1/{name=files/**}:lend", "/v1/files/a/b") shouldBe null
        }

        "a template that is longer than any that people write is none" {
            val long = "/{a=b}".repeat(100_000)
            shouldThrow<IllegalArgumentException> {
                PathTemplate.parse(
                    long,
                )
            }.message!!.length shouldBeLessThan
                300
        }

        "a value of one segment is decoded, of one with several a slash stays as it was sent" {
            match("/v1/{id}", "/v1/a%20b%2Fc") shouldBe mapOf("id" to "a b/c")
            match("/v1/{id=**}", "/v1/a%20b%2Fc/d") shouldBe mapOf("id" to "a b%2Fc/d")
            match("/v1/{id}", "/v1/%zz%4") shouldBe mapOf("id" to "%zz%4")
            match("/v1/{id}", "/v1/%E2%82%AC") shouldBe mapOf("id" to "€")
        }

        "what says more comes first" {
            listOf("/v1/{name=**}", "/v1/{id}", "/v1/books", "/v1/{id}:lend")
                .map(PathTemplate::parse)
                .sorted()
                .map { it.toString() } shouldContainExactly
                listOf("/v1/{id}:lend", "/v1/books", "/v1/{id}", "/v1/{name=**}")
        }

        "what is no template is refused" {
            for (text in listOf(
                "",
                "v1",
                "/",
                "/v1//x",
                "/{",
                "/{a",
                "/{a=",
                "/{a=b",
                "/{a={b}}",
                "/{=b}",
                "/{1}",
                "/**/x/**",
                "/a:",
                "/a:b/c",
                "/a}",
            )) {
                withClue(
                    text,
                ) { shouldThrow<IllegalArgumentException> { PathTemplate.parse(text) } }
            }
        }
    })
