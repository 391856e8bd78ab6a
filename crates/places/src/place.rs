//! What maps say of an end of a call.

/// What a record says of an end of a call that leads to a place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Whereabouts<'w> {
    /// `network/subnet`
    pub subnet: Option<&'w str>,
    /// `network/ipAddress`
    pub address: Option<&'w str>,
    /// `network/basicServiceSetIdentifier`
    pub bssid: Option<&'w str>,
    /// `network/reflexiveIPAddress`
    pub reflexive_address: Option<&'w str>,
    /// `name` of the participant's endpoint.
    pub endpoint: Option<&'w str>,
}

/// A place. What no map says is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place<'m> {
    /// Of the network, or else of the access point.
    pub building: Option<&'m str>,
    /// A name that the owner gave the network.
    pub network_name: Option<&'m str>,
    /// Of the building.
    pub ownership: Option<&'m str>,
    /// Of the building.
    pub building_type: Option<&'m str>,
    /// Of the building.
    pub office_type: Option<&'m str>,
    /// Of the building.
    pub city: Option<&'m str>,
    /// Of the building.
    pub zip_code: Option<&'m str>,
    /// Of the building.
    pub country: Option<&'m str>,
    /// Of the building.
    pub state: Option<&'m str>,
    /// Of the building.
    pub region: Option<&'m str>,
    /// Whether the network is the owner's own.
    pub is_inside: Option<bool>,
    /// Whether the network reaches Microsoft by ExpressRoute.
    pub has_express_route: Option<bool>,
    /// Whether it is a VPN, whatever the endpoint says of its connection.
    pub is_vpn: Option<bool>,
    /// Of the access point.
    pub floor: Option<&'m str>,
    /// Name of the access point.
    pub access_point: Option<&'m str>,
    /// Who announces the public address.
    pub isp: Option<&'m str>,
    /// Number of their autonomous system.
    pub as_number: Option<u32>,
    /// Where they are registered.
    pub as_country: Option<&'m str>,
    /// What is known of the endpoint by its name.
    pub endpoint: Endpoint<'m>,
}

/// What an endpoint file says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Endpoint<'m> {
    /// Who made it.
    pub make: Option<&'m str>,
    /// Which model it is.
    pub model: Option<&'m str>,
    /// What it is, as in Laptop.
    pub endpoint_type: Option<&'m str>,
    /// What the owner notes of it.
    pub labels: [Option<&'m str>; 3],
}
