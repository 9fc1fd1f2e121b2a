// SPDX-License-Identifier: MIT
// Java's own TLS server: answers each line with "you said " and that line, and each connection's
// "bye" with SSLSocket.close(), which in TLS 1.3 sends the warning user_canceled before its
// close_notify. Run as: java CloseFirst.java KEYSTORE PASSWORD PROTOCOL
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

public class CloseFirst {
  public static void main(String[] args) throws Exception {
    char[] password = args[1].toCharArray();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (FileInputStream file = new FileInputStream(args[0])) {
      store.load(file, password);
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    SSLServerSocket server =
        (SSLServerSocket)
            context
                .getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    server.setEnabledProtocols(new String[] {args[2]});
    System.out.println("LISTENS " + server.getLocalPort());
    while (true) {
      SSLSocket client = (SSLSocket) server.accept();
      new Thread(() -> serve(client)).start();
    }
  }

  private static void serve(SSLSocket client) {
    try (client) {
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.equals("bye")) {
          return;
        }
        client
            .getOutputStream()
            .write(("you said " + line + "\n").getBytes(StandardCharsets.US_ASCII));
      }
    } catch (Exception e) {
      System.out.println("FAILED " + e);
    }
  }
}
