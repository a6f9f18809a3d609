package org.satchel.core

import java.nio.file.Path
import kotlin.io.path.pathString

/** A relay, the real program on a free port of this machine, and one mailbox. */
class Relay(folder: Path) : AutoCloseable {
    private val program = System.getProperty("satchel.relay")
    private val data = folder.resolve("relay").pathString
    private val server = start("serve", "--data", data, "--listen", "127.0.0.1:0")
    val url: String
    val mailbox: String
    val claim: ByteArray

    init {
        // one line of JSON when it is ready
        val ready = server.inputStream.bufferedReader().readLine() ?: error("the relay did not start")
        url = "http://" + Regex(""""listening":"([^"]+)"""").find(ready)!!.groupValues[1]
        val made = start("mailbox", "create", "--data", data).inputStream.bufferedReader().readLines().associate { line ->
            line.split(' ').let { (name, value) -> name to value }
        }
        mailbox = made.getValue("mailbox")
        claim = base32(made.getValue("secret"))
    }

    private fun start(vararg arguments: String): Process =
        ProcessBuilder(program, *arguments).redirectError(ProcessBuilder.Redirect.INHERIT).start()

    /** RFC 4648, lower case, no padding. */
    private fun base32(text: String): ByteArray {
        val bits = text.toList().joinToString("") { "abcdefghijklmnopqrstuvwxyz234567".indexOf(it).toString(2).padStart(5, '0') }
        return ByteArray(bits.length / 8) { bits.substring(it * 8, it * 8 + 8).toInt(2).toByte() }
    }

    override fun close() {
        server.destroy()
        server.waitFor()
    }
}
