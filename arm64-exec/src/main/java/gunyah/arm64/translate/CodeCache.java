package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Regions in a directory, one file each, so that another process finds what this one translated. A file is good for
 * code that decodes to the same instructions, and for the translator and JDK that wrote it: all of that is in the file,
 * with a checksum. What is damaged, cut off or of another version is deleted with one line, and written anew when the code gets hot.
 *
 * <p>A file is complete when it appears under its name (written beside it and renamed), so processes can share a
 * directory. Who can write there decides what this process executes. Thread safe; files are read and written on the
 * threads of the translator only, but for the index, which the constructor reads.
 */
public final class CodeCache {
    /** Files that are kept; the oldest are deleted when a process starts. */
    static final int MOST_FILES = 4_096;
    static final String SUFFIX = ".region";
    private static final int MAGIC = 0x4752_4731;
    private static final int HASH_BYTES = 32;
    private static final int MOST_BYTES = 1 << 20;
    private static final System.Logger LOG = System.getLogger(CodeCache.class.getName());

    /** The classes that decide what is written: files of others are of no use. */
    private static final List<Class<?>> WRITERS = List.of(RegionCompiler.class, RegionFlow.class, Emitter.class,
            IntegerEmitter.class, RareIntegerEmitter.class, MemoryEmitter.class, VectorEmitter.class, FpEmitter.class,
            FlagsEmitter.class, LookEmitter.class, SharedLooks.class, PendingFlags.class, Effects.class, Locals.class,
            Names.class, RegionCode.class, Region.class);
    private static final byte[] VERSION = version();

    private final Path directory;
    private final ConcurrentHashMap<Long, List<RegionCode>> known = new ConcurrentHashMap<>();
    private final AtomicLong read = new AtomicLong();
    private final AtomicLong used = new AtomicLong();
    private final AtomicLong written = new AtomicLong();
    private final AtomicLong bad = new AtomicLong();

    /**
     * Reads what is there.
     *
     * @throws UncheckedIOException when the directory cannot be made or listed
     */
    public CodeCache(Path directory) {
        this.directory = directory;
        try {
            Files.createDirectories(directory);
            for (Path file : newest()) {
                readOrDelete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] version() {
        MessageDigest digest = sha256();
        digest.update(Runtime.version().toString().getBytes(StandardCharsets.UTF_8));
        for (Class<?> writer : WRITERS) {
            try (InputStream bytes = writer.getResourceAsStream(writer.getSimpleName() + ".class")) {
                digest.update(bytes.readAllBytes());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return digest.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** {@return the files to read, newest first} Deletes those beyond the limit. */
    private List<Path> newest() throws IOException {
        record Dated(Path file, FileTime time) {
        }
        List<Dated> all = new ArrayList<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(each -> each.toString().endsWith(SUFFIX)).toList()) {
                try {
                    all.add(new Dated(file, Files.getLastModifiedTime(file)));
                } catch (NoSuchFileException e) {
                    // another process deleted it
                }
            }
        }
        all.sort(Comparator.comparing(Dated::time).reversed());
        for (Dated old : all.subList(Math.min(MOST_FILES, all.size()), all.size())) {
            Files.deleteIfExists(old.file);
        }
        return all.stream().limit(MOST_FILES).map(Dated::file).toList();
    }

    private void readOrDelete(Path file) throws IOException {
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new IOException("too large");
            }
            add(decode(Files.readAllBytes(file)));
            read.incrementAndGet();
        } catch (NoSuchFileException e) {
            // another process deleted it
        } catch (IOException | RuntimeException e) {
            bad.incrementAndGet();
            LOG.log(System.Logger.Level.WARNING, "code cache: {0} is not used: {1}", file, e.getMessage());
            Files.deleteIfExists(file);
        }
    }

    private void add(RegionCode code) {
        known.computeIfAbsent(Translator.key(code.first(), code.word(code.first())),
                key -> new CopyOnWriteArrayList<>()).add(code);
    }

    /** {@return whether a region for that place may be here} */
    boolean mayHave(int slot, int word) {
        return known.containsKey(Translator.key(slot, word));
    }

    /** {@return the largest region for that place that was made of what the page holds, or null} */
    RegionCode find(Insn[] page, int slot) {
        List<RegionCode> candidates = known.get(Translator.key(slot, page[slot].word));
        if (candidates == null) {
            return null;
        }
        RegionCode best = null;
        for (RegionCode candidate : candidates) {
            if (candidate.matches(page) && (best == null || candidate.slots().length > best.slots().length)) {
                best = candidate;
            }
        }
        if (best != null) {
            used.incrementAndGet();
        }
        return best;
    }

    /** Keeps a region. A directory that cannot be written is said once a region, and is no error. */
    void save(RegionCode code) {
        byte[] bytes = encode(code);
        int hash = bytes.length - HASH_BYTES;
        String name = HexFormat.of().formatHex(bytes, hash, hash + HASH_BYTES / 2) + SUFFIX;
        try {
            Path part = Files.createTempFile(directory, "region", ".part");
            try {
                Files.write(part, bytes);
                Files.move(part, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(part);
            }
            add(code);
            written.incrementAndGet();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "code cache: {0} is not written: {1}", name, e.toString());
        }
    }

    /** {@return all that is here, for reports} */
    List<RegionCode> all() {
        return known.values().stream().flatMap(List::stream).toList();
    }

    static byte[] encode(RegionCode code) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(MAGIC);
            out.write(VERSION);
            out.writeInt(code.first());
            out.writeInt(code.stride());
            out.writeInt(code.codeBytes());
            write(out, code.slots());
            write(out, code.words());
            write(out, code.meanings());
            write(out, code.entries());
            write(out, code.constants());
            out.writeInt(code.before().length);
            for (short each : code.before()) {
                out.writeShort(each);
            }
            out.writeInt(code.called().size());
            for (String each : code.called()) {
                out.writeUTF(each);
            }
            out.writeInt(code.bytes().length);
            out.write(code.bytes());
            out.flush();
            out.write(sha256().digest(bytes.toByteArray()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void write(DataOutputStream out, int[] values) throws IOException {
        out.writeInt(values.length);
        for (int value : values) {
            out.writeInt(value);
        }
    }

    /** {@return what {@link #encode} was given} @throws IOException when it is not all that, unchanged */
    static RegionCode decode(byte[] file) throws IOException {
        int body = file.length - HASH_BYTES;
        if (body < Integer.BYTES + HASH_BYTES) {
            throw new IOException("cut off");
        }
        MessageDigest digest = sha256();
        digest.update(file, 0, body);
        if (!Arrays.equals(digest.digest(), 0, HASH_BYTES, file, body, file.length)) {
            throw new IOException("damaged");
        }
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(file, 0, body));
        if (in.readInt() != MAGIC || !Arrays.equals(in.readNBytes(HASH_BYTES), VERSION)) {
            throw new IOException("of another version");
        }
        int first = in.readInt();
        int stride = in.readInt();
        int codeBytes = in.readInt();
        int[] slots = ints(in);
        int[] words = ints(in);
        int[] meanings = ints(in);
        int[] entries = ints(in);
        int[] constants = ints(in);
        short[] before = new short[in.readInt()];
        for (int i = 0; i < before.length; i++) {
            before[i] = in.readShort();
        }
        List<String> called = new ArrayList<>();
        for (int left = in.readInt(); left > 0; left--) {
            called.add(in.readUTF());
        }
        byte[] bytes = in.readNBytes(in.readInt());
        return new RegionCode(first, stride, slots, words, meanings, before, entries, called, constants, codeBytes,
                bytes);
    }

    private static int[] ints(DataInputStream in) throws IOException {
        int[] values = new int[in.readInt()];
        for (int i = 0; i < values.length; i++) {
            values[i] = in.readInt();
        }
        return values;
    }

    /** {@return what was done so far} */
    public Statistics statistics() {
        return new Statistics(read.get(), used.get(), written.get(), bad.get());
    }

    /**
     * What a cache did.
     *
     * @param read    files found at the start
     * @param used    regions that were not made because they were here
     * @param written files written
     * @param bad     files that were of no use
     */
    public record Statistics(long read, long used, long written, long bad) {
    }
}
