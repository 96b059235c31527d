//! Connections to where users say: which addresses may be reached, and how.
//!
//! A user's address is a request that the vault makes for somebody else. Where `private` is not allowed it goes by TLS, and to addresses
//! of the public Internet alone: not to this machine, private networks, link-local addresses (a cloud's metadata service), or what
//! leads there in another form. The address that was judged is the one that is connected to, so a name that is resolved anew in between
//! changes nothing.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::NotSent;

/// How long one address is waited for.
const CONNECT: Duration = Duration::from_secs(4);
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 2;

/// A connection, with TLS or without.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// A name or an address.
    pub name: String,
    /// The port.
    pub port: u16,
    /// Whether addresses outside the public Internet are allowed.
    pub private: bool,
}

impl Host {
    /// Connects to the first address that may be reached and answers.
    pub async fn connect(&self) -> Result<Box<dyn Io>, NotSent> {
        let Self { name, port, private } = self;
        let found = timeout(CONNECT, tokio::net::lookup_host((name.as_str(), *port))).await;
        let found: Vec<SocketAddr> = match found {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(error)) => return Err(NotSent::NotNow(format!("{name} is not found: {error}"))),
            Err(_) => return Err(NotSent::NotNow(format!("{name} is not found in time"))),
        };
        let allowed: Vec<SocketAddr> = found.into_iter().filter(|found| *private || is_public(found.ip())).collect();
        if allowed.is_empty() {
            return Err(NotSent::Never(format!("{name} has no address in the public Internet, and no other may be reached")));
        }
        let mut why = String::new();
        for address in allowed.into_iter().take(MAX_ADDRESSES) {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(Box::new(stream)),
                Ok(Err(error)) => why = error.to_string(),
                Err(_) => "no answer in time".clone_into(&mut why),
            }
        }
        Err(NotSent::NotNow(format!("{name} cannot be reached: {why}")))
    }

    /// TLS over a connection to this host.
    pub async fn secure(&self, plain: Box<dyn Io>) -> Result<Box<dyn Io>, NotSent> {
        let server = ServerName::try_from(self.name.clone());
        let server = server.map_err(|_| NotSent::Never(format!("'{}' is no name that TLS can ask for", self.name)))?;
        let connector = TlsConnector::from(tls()?);
        match timeout(CONNECT, connector.connect(server, plain)).await {
            Ok(Ok(secure)) => Ok(Box::new(secure)),
            Ok(Err(error)) => Err(NotSent::NotNow(format!("TLS with {}: {error}", self.name))),
            Err(_) => Err(NotSent::NotNow(format!("TLS with {}: no answer in time", self.name))),
        }
    }
}

/// Read once: the store of certificates is a few hundred files.
fn tls() -> Result<Arc<ClientConfig>, NotSent> {
    static TLS: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(known) = TLS.get() {
        return Ok(Arc::clone(known));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let made = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| NotSent::NotNow(format!("TLS: {error}")))?;
    Ok(Arc::clone(TLS.get_or_init(|| Arc::new(made.with_root_certificates(roots).with_no_client_auth()))))
}

/// Whether an address is one of the public Internet.
///
/// Source: IANA's IPv4 and IPv6 special-purpose address registries (RFC 6890 and its updates), read in November 2026.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        // Multicast, reserved and broadcast.
        || a >= 224;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [first, second, third, ..] = address.segments();
    match (first, second) {
        // 6to4 leads to the IPv4 address in it.
        (0x2002, _) => is_public_v4(Ipv4Addr::from((u32::from(second) << 16) | u32::from(third))),
        // Teredo and other protocols' own (2001::/23), and documentation.
        (0x2001, 0..=0x01ff | 0x0db8) | (0x3fff, 0..=0x0fff) => false,
        // Only 2000::/3 is given out; what embeds IPv4 for translators (64:ff9b::/96) lies outside.
        _ => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for public in ["1.1.1.1", "93.184.216.34", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2002:0101:0101::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        let others = "0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 \
            192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.9 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 \
            ::ffff:169.254.169.254 ::7f00:1 64:ff9b::a9fe:a9fe fe80::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1 2001::1 \
            2002:7f00:1:: 2002:a9fe:a9fe::1 3fff::1";
        for other in others.split_whitespace() {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }

    #[tokio::test]
    async fn what_is_not_public_is_never_connected_to_unless_allowed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        for name in ["127.0.0.1", "localhost", "::1", "0.0.0.0", "169.254.169.254", "2130706433", "0x7f.1"] {
            let refused = Host { name: name.into(), port, private: false }.connect().await.err();
            assert!(matches!(refused, Some(NotSent::Never(_) | NotSent::NotNow(_))), "{name}: {refused:?}");
        }
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody has connected");
        assert!(Host { name: "127.0.0.1".into(), port, private: true }.connect().await.is_ok());
    }
}
