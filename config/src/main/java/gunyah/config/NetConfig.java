package gunyah.config;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A network card of a guest. */
public sealed interface NetConfig {
    /** Behind this program's network address translation; the guest is 10.0.2.15, its gateway 10.0.2.2. */
    record User(List<Forward> forwards) implements NetConfig {
        public User {
            forwards = List.copyOf(forwards);
        }
    }

    /** On the switch of that name, which joins the VMs of one run. */
    record Switched(String name) implements NetConfig {
    }

    /** What a port carries. */
    enum Transport {
        TCP, UDP
    }

    /**
     * A port of this computer that leads to one of the guest.
     *
     * @param transport of both ports
     * @param host      address to listen at; loopback when empty
     * @param hostPort  0 = any that is free
     * @param guestPort in the guest
     */
    record Forward(Transport transport, String host, int hostPort, int guestPort) {
    }

    /** Of a forwarded port, for people. */
    String FORM = "hostfwd=tcp|udp:[HOST]:PORT-:GUESTPORT";
    Pattern FORWARD = Pattern.compile("hostfwd=(tcp|udp)?:([^:,]*):([0-9]{1,5})-(?:10\\.0\\.2\\.15)?:([0-9]{1,5})");
    Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,32}");

    /** Reads {@code user[,hostfwd=tcp|udp:[HOST]:PORT-:GUESTPORT]...} or {@code switch=NAME}. @throws BadInput */
    static NetConfig parse(String text) {
        OptionText parts = OptionText.of(text);
        if (parts.first().startsWith("switch=") && parts.rest().isEmpty()) {
            String name = parts.first().substring("switch=".length());
            if (NAME.matcher(name).matches()) {
                return new Switched(name);
            }
        }
        if (!parts.first().equals("user")) {
            throw new BadInput("a network is user[,%s], switch=NAME or none, not '%s'".formatted(FORM, text));
        }
        return new User(parts.rest().stream().map(NetConfig::forward).toList());
    }

    private static Forward forward(String text) {
        Matcher matcher = FORWARD.matcher(text);
        if (matcher.matches()) {
            int hostPort = Integer.parseInt(matcher.group(3));
            int guestPort = Integer.parseInt(matcher.group(4));
            if (hostPort <= 0xffff && guestPort > 0 && guestPort <= 0xffff) {
                Transport transport = "udp".equals(matcher.group(1)) ? Transport.UDP : Transport.TCP;
                return new Forward(transport, matcher.group(2), hostPort, guestPort);
            }
        }
        throw new BadInput("'%s' is not %s".formatted(text, FORM));
    }

    /** Reads several; {@code none} among them means none at all. */
    static List<NetConfig> parseAll(List<String> texts) {
        List<NetConfig> nets = new ArrayList<>();
        for (String text : texts) {
            if (text.equals("none")) {
                return List.of();
            }
            nets.add(parse(text));
        }
        return nets;
    }
}
