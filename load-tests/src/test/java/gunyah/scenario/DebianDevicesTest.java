package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.DeviceConfig;
import gunyah.config.DiskConfig;
import gunyah.config.MemoryConfig;
import gunyah.config.NetConfig;
import gunyah.config.Serial;
import gunyah.config.VsockConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Debian's own drivers on our virtio devices. */
@Tag("boot")
class DebianDevicesTest {
    private static final Duration BOOT = Duration.ofMinutes(8);
    private static final Duration COMMAND = Duration.ofMinutes(5);
    private static final String PROMPT = "/root # ";
    private static final long MIB = 1L << 20;

    @TempDir
    private Path directory;

    private Path disk(String name, long size) throws IOException, InterruptedException {
        Path file = directory.resolve(name);
        try (RandomAccessFile created = new RandomAccessFile(file.toFile(), "rw")) {
            created.setLength(size);
        }
        assertThat(host("/sbin/mke2fs", "-q", "-t", "ext4", file.toString())).isZero();
        return file;
    }

    private int host(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(directory.resolve("out").toFile()).start().waitFor();
    }

    private static DiskConfig raw(Path file, boolean readOnly) {
        return new DiskConfig(file, readOnly, Optional.of(DiskConfig.Format.RAW));
    }

    private static void command(Vm vm, String line, String answer) {
        vm.type(line + "\n");
        vm.awaitConsole(answer, COMMAND);
        vm.awaitConsole(PROMPT, COMMAND);
    }

    @Test
    void aFileSystemSurvivesItsVmBeingKilled() throws Exception {
        Path written = disk("written.img", 64 * MIB);
        Path readOnly = disk("read-only.img", 8 * MIB);
        String sum;
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 2, "cryptomgr.notests")
                    .with(new DeviceConfig(List.of(raw(written, false), raw(readOnly, true)), List.of())));
            vm.awaitConsole(PROMPT, BOOT);
            command(vm, "mount -t ext4 /dev/vda /mnt && echo mounted=$?", "mounted=0");
            command(vm, "dd if=/dev/urandom of=/mnt/random bs=1M count=16 && echo written=$?", "written=0");
            vm.type("sync; sha256sum /mnt/random\n");
            sum = vm.awaitConsole(Pattern.compile("([0-9a-f]{64})  /mnt/random"), COMMAND).group(1);
            command(vm, "echo 3 > /proc/sys/vm/drop_caches; sha256sum /mnt/random", sum);
            command(vm, "echo x > /dev/vdb; echo refused=$?", "refused=1");
            command(vm, "cat /sys/block/vda/serial", "disk0");

            vm.type("while true; do dd if=/dev/zero of=/mnt/more bs=64k count=200; sync; rm /mnt/more; done\n");
            vm.awaitConsole("200+0 records out", COMMAND);
            vm.stop();
            vm.awaitExit(COMMAND);
        }

        assertThat(host("/sbin/e2fsck", "-p", written.toString())).as("exit status of e2fsck -p").isLessThan(2);
        assertThat(host("/sbin/e2fsck", "-fn", written.toString())).as("exit status of e2fsck -fn").isZero();
        Path copy = directory.resolve("copy");
        assertThat(host("/sbin/debugfs", "-R", "dump /random " + copy, written.toString())).isZero();
        assertThat(sha256(copy)).isEqualTo(sum);
    }

    /** Its drivers use all memory directly; after a reboot the disk is as it was left. */
    @Test
    void aGuestInSharedMemoryUsesItsDiskAndReboots() throws Exception {
        Path disk = disk("shared.img", 32 * MIB);
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 1, "cryptomgr.notests")
                    .with(new MemoryConfig(false, false, true)).with(new DeviceConfig(List.of(raw(disk, false)), List.of())));
            vm.awaitConsole(PROMPT, BOOT);
            command(vm, "dmesg | grep -c 'software IO TLB: mapped'", "0");
            command(vm, "mount -t ext4 /dev/vda /mnt && dd if=/dev/urandom of=/mnt/r bs=1M count=8 && echo written=$?",
                    "written=0");
            vm.type("sha256sum /mnt/r; umount /mnt\n");
            String sum = vm.awaitConsole(Pattern.compile("([0-9a-f]{64})  /mnt/r"), COMMAND).group(1);
            vm.awaitConsole(PROMPT, COMMAND);
            vm.type("reboot -f\n");

            vm.awaitConsole(PROMPT, BOOT);
            command(vm, "mount -t ext4 /dev/vda /mnt && sha256sum /mnt/r", sum);
            vm.type("poweroff -f\n");
            assertThat(vm.awaitExit(COMMAND).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        }
    }

    /** Bytes go there and back through the first VM's user network; the second hears of it over their switch. */
    @Test
    void guestsTalkToThisComputerAndToEachOther() throws Exception {
        byte[] data = new byte[Integer.getInteger("gunyah.transfer.mib", 8) << 20];
        new Random(42).nextBytes(data);
        DeviceConfig user = new DeviceConfig(List.of(), List.of(new NetConfig.User(List.of()),
                new NetConfig.Switched("lan")));
        DeviceConfig lan = new DeviceConfig(List.of(), List.of(new NetConfig.Switched("lan")));
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(2));
                ServerSocket down = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                ServerSocket up = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            CompletableFuture<Void> served = CompletableFuture.runAsync(() -> serve(down, data));
            CompletableFuture<String> received = CompletableFuture.supplyAsync(() -> receive(up));
            Vm one = system.createVm(Guests.linux("one", Guests.KERNEL_6_1, 1, "cryptomgr.notests").with(user));
            Vm two = system.createVm(Guests.linux("two", Guests.KERNEL_6_1, 1, "cryptomgr.notests").with(lan));
            one.awaitConsole(PROMPT, BOOT);
            two.awaitConsole(PROMPT, BOOT);

            command(one, "udhcpc -q -i eth0", "lease of 10.0.2.15 obtained");
            command(one, "ping -c 1 10.0.2.2", " 0% packet loss");
            command(one, "nc 10.0.2.2 %d > /tmp/data; sha256sum /tmp/data".formatted(down.getLocalPort()),
                    sha256(data) + "  /tmp/data");
            command(one, "nc 10.0.2.2 %d < /tmp/data && echo sent=$?".formatted(up.getLocalPort()), "sent=0");
            served.get(1, TimeUnit.MINUTES);
            assertThat(received.get(1, TimeUnit.MINUTES)).isEqualTo(sha256(data));

            command(one, "ip addr add 192.168.7.1/24 dev eth1 && ip link set eth1 up && echo up=$?", "up=0");
            command(two, "ip addr add 192.168.7.2/24 dev eth0 && echo up=$?", "up=0");
            command(two, "ping -c 3 192.168.7.1", " 0% packet loss");
            command(one, "ping -c 3 192.168.7.2", " 0% packet loss");
        }
    }

    /** The guest calls a program and a program calls the guest; either sends back what it got. */
    @Test
    void programsAndGuestsCallEachOther() throws Exception {
        Path folder = Files.createDirectory(directory.resolve("folder"));
        try (InputStream client = getClass().getResourceAsStream("vsock.elf")) {
            Files.write(folder.resolve("vsock"), client.readAllBytes());
        }
        assertThat(folder.resolve("vsock").toFile().setExecutable(true)).isTrue();
        Path socket = directory.resolve("v");
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1));
                ServerSocketChannel called = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            called.bind(UnixDomainSocketAddress.of(socket + "_5000"));
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 1, "cryptomgr.notests").with(
                    new DeviceConfig(List.of(), List.of(), false, Serial.PL011, List.of(folder),
                            Optional.of(new VsockConfig(42, socket)), OptionalLong.empty())));
            vm.awaitConsole(PROMPT, BOOT);
            command(vm, "mount -t virtiofs share0 /mnt && echo mounted=$?", "mounted=0");
            vm.type("head -c 1000000 /dev/urandom > /tmp/sent; sha256sum /tmp/sent\n");
            String sum = vm.awaitConsole(Pattern.compile("([0-9a-f]{64})  /tmp/sent"), COMMAND).group(1);

            CompletableFuture<String> heard = CompletableFuture.supplyAsync(() -> sendBack(() -> called.accept()));
            command(vm, "/mnt/vsock connect 2 5000 < /tmp/sent | sha256sum", sum + "  -");
            assertThat(heard.get(1, TimeUnit.MINUTES)).isEqualTo(sum);
            command(vm, "/mnt/vsock connect 2 5001 < /dev/null", "connect failed");

            vm.type("/mnt/vsock listen 6000 < /tmp/sent | sha256sum\n");
            vm.awaitConsole("vsock: listening", COMMAND);
            assertThat(sendBack(() -> {
                SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
                channel.write(ByteBuffer.wrap("CONNECT 6000\n".getBytes(StandardCharsets.US_ASCII)));
                ByteBuffer answer = ByteBuffer.allocate("OK 1073741824\n".length());
                while (answer.hasRemaining() && channel.read(answer) >= 0) {
                    Thread.onSpinWait();
                }
                assertThat(new String(answer.array(), StandardCharsets.US_ASCII)).isEqualTo("OK 1073741824\n");
                return channel;
            })).isEqualTo(sum);
            vm.awaitConsole(sum + "  -", COMMAND);
        }
    }

    /** Reads until the other side has no more and then sends all of it back. {@return its hash} */
    private static String sendBack(Callable<SocketChannel> opened) {
        try (SocketChannel channel = opened.call()) {
            byte[] all = Channels.newInputStream(channel).readAllBytes();
            Channels.newOutputStream(channel).write(all);
            return sha256(all);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void serve(ServerSocket server, byte[] data) {
        try (Socket socket = server.accept()) {
            socket.getOutputStream().write(data);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String receive(ServerSocket server) {
        try (Socket socket = server.accept()) {
            return sha256(socket.getInputStream().readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha256(Path file) throws IOException {
        return sha256(Files.readAllBytes(file));
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
