package gunyah.cli;

import gunyah.config.BadInput;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Fetches Debian packages for arm64 with apt's own checks of origin and hashes, in a private apt state that leaves the
 * host as it is, and takes from them what guests need. A file appears in the directory only when it is complete and
 * checked. Blocks; one fetch at a time in a directory.
 */
final class DebianFetch {
    private static final int MAGIC_OFFSET = 56;
    private static final byte[] IMAGE_MAGIC = {'A', 'R', 'M', 'd'};

    private final Path guests;
    private final PrintStream err;
    private final Apt apt;

    /**
     * @param guests where the files go; created when missing
     * @param err    takes progress and results
     */
    DebianFetch(Path guests, PrintStream err) {
        this.guests = guests;
        this.err = err;
        this.apt = new Apt(guests.resolve("apt").toAbsolutePath());
    }

    /**
     * Fetches what these guests need; U-Boot always comes along.
     *
     * @throws BadInput when apt or the network is missing, or what came is not what was expected
     */
    void fetch(NamedGuest... wanted) {
        try {
            Files.createDirectories(guests);
            try (FileChannel channel = FileChannel.open(guests.resolve("lock"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE); FileLock lock = channel.lock()) {
                fetchLocked(List.of(wanted), lock);
            }
        } catch (IOException e) {
            throw new BadInput("cannot write to %s: %s".formatted(guests, e.getMessage()), e);
        }
    }

    private void fetchLocked(List<NamedGuest> wanted, FileLock lock) throws IOException {
        if (!lock.isValid()) {
            throw new IOException("the lock was lost");
        }
        Path work = guests.resolve("work");
        deleteTree(work);
        Files.createDirectories(work);
        try (FetchProgress progress = new FetchProgress(err)) {
            progress.step("package lists");
            apt.update(progress);
            List<Kernel> kernels = new ArrayList<>();
            for (NamedGuest guest : wanted) {
                if (!guest.kernel().isEmpty()) {
                    kernels.add(new Kernel(guest, kernelPackage(guest)));
                }
            }
            List<String> packages = new ArrayList<>(kernels.stream().map(k -> k.packageName + ":arm64").toList());
            packages.addAll(List.of("busybox-static:arm64", "u-boot-qemu"));
            progress.step("packages");
            Path debs = Files.createDirectories(work.resolve("debs"));
            apt.download(debs, packages, progress);
            progress.step("unpacking");
            Path root = work.resolve("root");
            try (Stream<Path> files = Files.list(debs)) {
                for (Path deb : files.toList()) {
                    apt.unpack(deb, root);
                }
            }
            progress.step("checks");
            install(kernels, root);
        } finally {
            deleteTree(work);
        }
    }

    private String kernelPackage(NamedGuest guest) {
        return switch (guest) {
            case DEBIAN_6_12 -> apt.newest("^linux-image-6.12.*deb12-cloud-arm64$");
            case DEBIAN_GENERIC -> apt.dependency("linux-image-arm64:arm64", "linux-image-");
            case DEBIAN_RT -> apt.dependency("linux-image-rt-arm64:arm64", "linux-image-");
            default -> apt.dependency("linux-image-cloud-arm64:arm64", "linux-image-");
        };
    }

    private record Kernel(NamedGuest guest, String packageName) {
        String release() {
            return packageName.substring("linux-image-".length());
        }
    }

    private void install(List<Kernel> kernels, Path root) throws IOException {
        List<Path> done = new ArrayList<>();
        byte[] busybox = Files.readAllBytes(present(root.resolve("bin/busybox")));
        checkElf(busybox);
        for (Kernel kernel : kernels) {
            Path image = root.resolve("boot/vmlinuz-" + kernel.release());
            checkImage(image);
            done.add(put(Files.readAllBytes(image), kernel.guest.kernelFile()));
            Map<String, byte[]> modules = modules(root.resolve("lib/modules/%s/kernel".formatted(kernel.release())));
            done.add(put(DebianInitramfs.build(busybox, kernel.release(), modules), kernel.guest.initramfsFile()));
        }
        done.add(put(Files.readAllBytes(present(root.resolve("usr/lib/u-boot/qemu_arm64/u-boot.bin"))),
                NamedGuest.U_BOOT_IMAGE));
        for (Path file : done) {
            err.println("%s  %s (%d bytes)".formatted(sha256(file), file, Files.size(file)));
        }
    }

    /** The modules for virtio devices; newer kernels' are compressed, which the guest is spared. */
    private Map<String, byte[]> modules(Path tree) throws IOException {
        Map<String, byte[]> modules = new HashMap<>();
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String[] name = file.getFileName().toString().split("\\.", 2);
                if (name.length == 2 && DebianInitramfs.MODULES.contains(name[0])) {
                    modules.put(name[0], name[1].equals("ko.xz") ? apt.decompressed(file) : Files.readAllBytes(file));
                }
            }
        }
        return modules;
    }

    private static Path present(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new BadInput("the package has no %s: has Debian moved it?".formatted(file.getFileName()));
        }
        return file;
    }

    private static void checkImage(Path image) throws IOException {
        byte[] bytes = Files.readAllBytes(present(image));
        for (int i = 0; i < IMAGE_MAGIC.length; i++) {
            if (bytes.length < MAGIC_OFFSET + 8 || bytes[MAGIC_OFFSET + i] != IMAGE_MAGIC[i]) {
                throw new BadInput("%s is not an arm64 Image".formatted(image.getFileName()));
            }
        }
    }

    private static void checkElf(byte[] busybox) {
        boolean aarch64 = busybox.length > 64 && busybox[0] == 0x7f && busybox[1] == 'E' && busybox[4] == 2
                && (busybox[18] & 0xff) == 183;
        if (!aarch64) {
            throw new BadInput("busybox is not an AArch64 program");
        }
    }

    private Path put(byte[] contents, String name) throws IOException {
        Path partial = guests.resolve(name + ".partial");
        Files.write(partial, contents);
        return Files.move(partial, guests.resolve(name), StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    private static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void deleteTree(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        Files.walkFileTree(tree, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException failure) throws IOException {
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
