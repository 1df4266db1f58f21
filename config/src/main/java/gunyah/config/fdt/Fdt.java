package gunyah.config.fdt;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A flattened device tree: memory reservations and the root node. Reads version 16 and 17, writes version 17.
 * {@link #parse} never trusts the input: every structural damage is a {@link FdtException} that names it.
 */
public final class Fdt {
    /** First word of every blob. */
    public static final int MAGIC = 0xd00dfeed;

    private static final int BEGIN_NODE = 1;
    private static final int END_NODE = 2;
    private static final int PROP = 3;
    private static final int NOP = 4;
    private static final int END = 9;
    private static final int HEADER_SIZE = 40;
    private static final int MAX_DEPTH = 64;

    /** Address and size, bytes, of memory the client must not use. */
    public record Reservation(long address, long size) {
    }

    /** The blob is not a device tree; the message says where and why. */
    public static final class FdtException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        FdtException(String message) {
            super("device tree: " + message);
        }
    }

    private final DtNode root;
    private final List<Reservation> reservations = new ArrayList<>();
    private int bootCpu;

    public Fdt(DtNode root) {
        this.root = root;
    }

    public DtNode root() {
        return root;
    }

    /** {@return the reservations; the list may be changed} */
    public List<Reservation> reservations() {
        return reservations;
    }

    /** {@return the total size that the header at the start of {@code blob} claims, bytes} */
    public static int totalSize(byte[] blob) {
        if (blob.length < HEADER_SIZE) {
            throw new FdtException("only %d bytes, the header alone needs %d".formatted(blob.length, HEADER_SIZE));
        }
        ByteBuffer header = ByteBuffer.wrap(blob);
        if (header.getInt(0) != MAGIC) {
            throw new FdtException("starts with 0x%08x, not with the magic 0xd00dfeed".formatted(header.getInt(0)));
        }
        return header.getInt(4);
    }

    /**
     * Reads a blob; bytes after its total size are ignored.
     *
     * @throws FdtException when the blob is damaged
     */
    public static Fdt parse(byte[] blob) {
        int total = totalSize(blob);
        if (total < HEADER_SIZE || total > blob.length) {
            throw new FdtException("header says %d bytes, %d are there".formatted(total, blob.length));
        }
        ByteBuffer all = ByteBuffer.wrap(blob, 0, total).slice();
        int version = all.getInt(20);
        if (version < 16 || all.getInt(24) > 17) {
            throw new FdtException("version %d is not supported (16 and 17 are)".formatted(version));
        }
        int structOffset = all.getInt(8);
        int structSize = version >= 17 ? all.getInt(36) : total - structOffset;
        ByteBuffer struct = section(all, structOffset, structSize, "structure block");
        ByteBuffer strings = section(all, all.getInt(12), all.getInt(32), "strings block");
        try {
            Fdt fdt = new Fdt(parseTree(struct, strings));
            fdt.bootCpu = all.getInt(28);
            fdt.parseReservations(all);
            return fdt;
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new FdtException("ends in the middle of the structure");
        }
    }

    private static ByteBuffer section(ByteBuffer all, int offset, int size, String what) {
        if (offset < HEADER_SIZE || size < 0 || offset > all.capacity() - size) {
            throw new FdtException("%s at %d with %d bytes is outside the blob".formatted(what, offset, size));
        }
        return all.slice(offset, size);
    }

    private void parseReservations(ByteBuffer all) {
        for (int at = all.getInt(16);; at += 16) {
            long address = all.getLong(at);
            long size = all.getLong(at + 8);
            if (address == 0 && size == 0) {
                return;
            }
            reservations.add(new Reservation(address, size));
        }
    }

    private static DtNode parseTree(ByteBuffer struct, ByteBuffer strings) {
        Deque<DtNode> open = new ArrayDeque<>();
        DtNode root = null;
        while (true) {
            int token = struct.getInt();
            switch (token) {
                case NOP -> { }
                case BEGIN_NODE -> {
                    DtNode node = new DtNode(cString(struct));
                    align(struct);
                    if (open.isEmpty() && root != null) {
                        throw new FdtException("has more than one root node");
                    }
                    if (open.size() >= MAX_DEPTH) {
                        throw new FdtException("nodes nest deeper than " + MAX_DEPTH);
                    }
                    if (open.isEmpty()) {
                        root = node;
                    } else {
                        open.peek().add(node);
                    }
                    open.push(node);
                }
                case END_NODE -> {
                    if (open.isEmpty()) {
                        throw new FdtException("closes a node that is not open");
                    }
                    open.pop();
                }
                case PROP -> {
                    byte[] value = new byte[propertyLength(struct)];
                    int nameOffset = struct.getInt();
                    struct.get(value);
                    align(struct);
                    if (open.isEmpty()) {
                        throw new FdtException("has a property outside every node");
                    }
                    open.peek().set(cString(strings.slice(nameOffset, strings.capacity() - nameOffset)), value);
                }
                case END -> {
                    if (root == null || !open.isEmpty()) {
                        throw new FdtException("ends with %d open nodes".formatted(open.size()));
                    }
                    return root;
                }
                default -> throw new FdtException("has the unknown token 0x%x at offset %d of its structure"
                        .formatted(token, struct.position() - 4));
            }
        }
    }

    private static int propertyLength(ByteBuffer struct) {
        int length = struct.getInt();
        if (length < 0 || length > struct.remaining()) {
            throw new FdtException("has a property of %d bytes, beyond its end".formatted(length));
        }
        return length;
    }

    private static String cString(ByteBuffer from) {
        int start = from.position();
        while (from.get() != 0) {
            // the buffer underflows when no NUL comes
        }
        byte[] text = new byte[from.position() - 1 - start];
        from.get(start, text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private static void align(ByteBuffer struct) {
        struct.position(struct.position() + 3 & ~3);
    }

    /** {@return the blob, packed: header, reservations, structure, strings} */
    public byte[] toBytes() {
        Map<String, Integer> names = new LinkedHashMap<>();
        ByteArrayOutputStream strings = new ByteArrayOutputStream();
        ByteArrayOutputStream struct = new ByteArrayOutputStream();
        write(root, struct, strings, names);
        word(struct, END);
        int reservationSize = (reservations.size() + 1) * 16;
        int structOffset = HEADER_SIZE + reservationSize;
        int stringsOffset = structOffset + struct.size();
        ByteBuffer blob = ByteBuffer.allocate(stringsOffset + strings.size());
        blob.putInt(MAGIC).putInt(blob.capacity()).putInt(structOffset).putInt(stringsOffset).putInt(HEADER_SIZE);
        blob.putInt(17).putInt(16).putInt(bootCpu).putInt(strings.size()).putInt(struct.size());
        for (Reservation reservation : reservations) {
            blob.putLong(reservation.address).putLong(reservation.size);
        }
        blob.putLong(0).putLong(0);
        blob.put(struct.toByteArray()).put(strings.toByteArray());
        return blob.array();
    }

    private static void write(DtNode node, ByteArrayOutputStream struct, ByteArrayOutputStream strings,
            Map<String, Integer> names) {
        word(struct, BEGIN_NODE);
        struct.writeBytes(node.name().getBytes(StandardCharsets.UTF_8));
        struct.write(0);
        pad(struct);
        node.properties().forEach((name, value) -> {
            word(struct, PROP);
            word(struct, value.length);
            word(struct, names.computeIfAbsent(name, n -> {
                int offset = strings.size();
                strings.writeBytes(n.getBytes(StandardCharsets.UTF_8));
                strings.write(0);
                return offset;
            }));
            struct.writeBytes(value);
            pad(struct);
        });
        for (DtNode child : node.children()) {
            write(child, struct, strings, names);
        }
        word(struct, END_NODE);
    }

    private static void word(ByteArrayOutputStream out, int value) {
        out.write(value >>> 24);
        out.write(value >>> 16);
        out.write(value >>> 8);
        out.write(value);
    }

    private static void pad(ByteArrayOutputStream out) {
        while ((out.size() & 3) != 0) {
            out.write(0);
        }
    }
}
