package gunyah.config.fdt;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One mutable node of a device tree: a name with its unit address ({@code memory@40000000}; empty for the root),
 * ordered properties as raw bytes (big endian cells) and ordered children. Not thread safe.
 */
public final class DtNode {
    private final String name;
    private final Map<String, byte[]> properties = new LinkedHashMap<>();
    private final List<DtNode> children = new ArrayList<>();

    public DtNode(String name) {
        this.name = name;
    }

    public String name() {
        return name;
    }

    /** {@return the name without its unit address} */
    public String baseName() {
        int at = name.indexOf('@');
        return at < 0 ? name : name.substring(0, at);
    }

    public List<DtNode> children() {
        return Collections.unmodifiableList(children);
    }

    /** {@return property values by name, in order; the arrays are the node's own} */
    public Map<String, byte[]> properties() {
        return Collections.unmodifiableMap(properties);
    }

    /** Adds a new child. {@return the child} */
    public DtNode add(String childName) {
        return add(new DtNode(childName));
    }

    /** Adds {@code child} at the end. {@return the child} */
    public DtNode add(DtNode child) {
        children.add(child);
        return child;
    }

    /** {@return the child of exactly this name, made when missing} */
    public DtNode childOrAdd(String childName) {
        return child(childName).orElseGet(() -> add(childName));
    }

    public void remove(DtNode child) {
        children.remove(child);
    }

    /** {@return the child of that full name, or the only one of that base name} */
    public Optional<DtNode> child(String childName) {
        for (DtNode child : children) {
            if (child.name.equals(childName)) {
                return Optional.of(child);
            }
        }
        List<DtNode> sameBase = children.stream().filter(c -> c.baseName().equals(childName)).toList();
        return sameBase.size() == 1 ? Optional.of(sameBase.getFirst()) : Optional.empty();
    }

    /** {@return the node at an absolute path such as {@code /cpus/cpu@0}, seen from this node as the root} */
    public Optional<DtNode> find(String path) {
        DtNode node = this;
        for (String part : path.split("/")) {
            if (!part.isEmpty()) {
                Optional<DtNode> next = node.child(part);
                if (next.isEmpty()) {
                    return Optional.empty();
                }
                node = next.get();
            }
        }
        return Optional.of(node);
    }

    public boolean has(String property) {
        return properties.containsKey(property);
    }

    /** Sets raw bytes. {@return this} */
    public DtNode set(String property, byte[] value) {
        properties.put(property, value.clone());
        return this;
    }

    /** Sets an empty property (a flag). {@return this} */
    public DtNode flag(String property) {
        return set(property, new byte[0]);
    }

    /** Sets 32-bit cells. {@return this} */
    public DtNode cells(String property, int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * 4);
        for (int value : values) {
            bytes.putInt(value);
        }
        return set(property, bytes.array());
    }

    /** Sets 64-bit values, two cells each. {@return this} */
    public DtNode cells64(String property, long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * 8);
        for (long value : values) {
            bytes.putLong(value);
        }
        return set(property, bytes.array());
    }

    /** Sets one or more NUL-terminated strings. {@return this} */
    public DtNode strings(String property, String... values) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String value : values) {
            bytes.writeBytes(value.getBytes(StandardCharsets.UTF_8));
            bytes.write(0);
        }
        return set(property, bytes.toByteArray());
    }

    public void removeProperty(String property) {
        properties.remove(property);
    }

    /** {@return the property's bytes} */
    public Optional<byte[]> bytes(String property) {
        return Optional.ofNullable(properties.get(property)).map(byte[]::clone);
    }

    /** {@return the 32-bit cells; empty when the property is missing or no multiple of 4 bytes} */
    public Optional<int[]> cells(String property) {
        return bytes(property).filter(b -> b.length % 4 == 0).map(b -> {
            int[] cells = new int[b.length / 4];
            ByteBuffer.wrap(b).asIntBuffer().get(cells);
            return cells;
        });
    }

    /** {@return the first cell} */
    public Optional<Integer> cell(String property) {
        return cells(property).filter(c -> c.length > 0).map(c -> c[0]);
    }

    /** {@return the strings of a string list; empty when missing or not NUL terminated} */
    public List<String> strings(String property) {
        byte[] value = properties.get(property);
        if (value == null || value.length == 0 || value[value.length - 1] != 0) {
            return List.of();
        }
        return List.of(new String(value, 0, value.length - 1, StandardCharsets.UTF_8).split("\0", -1));
    }

    /** {@return the first string of a string list} */
    public Optional<String> string(String property) {
        return strings(property).stream().findFirst();
    }

    /** {@return whether {@code compatible} lists this string} */
    public boolean isCompatible(String compatible) {
        return strings("compatible").contains(compatible);
    }

    /** Reads {@code cellCount} (1 or 2) cells at index {@code at} as one number. */
    public static long number(int[] cells, int at, int cellCount) {
        long value = 0;
        for (int i = 0; i < cellCount; i++) {
            value = value << 32 | cells[at + i] & 0xFFFF_FFFFL;
        }
        return value;
    }
}
